"""An erasure beside builds, checks and other workers: it waits, and goes on."""

from datetime import timedelta
from typing import Any

import pytest

from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.catalog.models import DataFile, DataFileState, Dataset, Sample
from gemmule.releases import build, closing, erasure, services, storage, upkeep, work
from gemmule.releases.errors import ErasureWaits, LeaseLost
from gemmule.releases.models import Erasure, ErasureStage, Release, ReleaseState
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.erasing import ask, donors, hers, wiped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wiped")]

__all__ = ["donors", "hers", "wiped"]


# --- beside builds and checks -----------------------------------------------------


def test_a_build_under_way_is_stopped_and_goes_on_without_her(
    ada: User, hers: Donor, release: Release, clock: Clock
) -> None:
    held = build._take(release.pk, clock())
    assert held is not None
    folder = storage.staging_dir(held, held.fencing_token)
    begun = ask(ada, clock)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    assert not folder.exists()
    release.refresh_from_db()
    assert release.state == ReleaseState.REQUESTED
    assert build.fail(held, "cut-failed", "its folder is gone", clock()) is None
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    assert release.donors.count() == 27


def test_the_store_waits_for_the_child_of_a_stopped_build(
    ada: User, dataset: Dataset, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = ask(ada, clock)
    plaintext = storage.scratch() / "gemmule-genomics-at-work"
    plaintext.mkdir()
    # Someone holds it: a child process that has not noticed yet.
    monkeypatch.setattr(upkeep, "sweep_scratch", lambda *, now: 0)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.STORES
    assert erasure.run(begun.pk, clock=clock) is None, "it waits"
    clock.tick(seconds=61)
    assert erasure.left_behind(now=clock()) == [begun.pk]
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE


def test_a_file_in_its_check_is_waited_for(
    ada: User, dataset: Dataset, clock: Clock
) -> None:
    file = dataset.files.get()
    other = DataFile.objects.create(
        dataset=dataset,
        number=2,
        original_name="two.vcf",
        state=DataFileState.CHECKING,
        size_bytes=1,
        uploaded_by=file.uploaded_by,
        uploaded_at=clock(),
    )
    begun = ask(ada, clock)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.STORES
    assert Sample.objects.filter(donor__erased_at__isnull=False).exists()
    other.delete()
    clock.tick(seconds=6)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE


def test_a_build_whose_store_is_rewritten_is_made_again(
    ada: User,
    donors: list[Donor],
    release: Release,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The source goes away under the child; nobody's release fails for it."""
    real = work.job_for
    erased: list[ErasureStage | None] = []

    def job_then_erase(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        if not erased:
            # Not one of the release, whose builds would be stopped.
            begun = services.begin_erasure(
                donor=donors[-1], user=None, channel="mail", now=clock()
            )
            erased.append(erasure.run(begun.pk, clock=clock))
        return made

    def leave_builds(one: Erasure, clock: Clock, check: Any) -> None:
        erasure._go_on(one, ErasureStage.SEQUENCE, builds_stopped_at=clock())

    monkeypatch.setattr(
        erasure, "_STEPS", {**erasure._STEPS, ErasureStage.BUILDS: leave_builds}
    )
    monkeypatch.setattr(work, "job_for", job_then_erase)
    assert build.run(release.pk, clock=clock) == ReleaseState.REQUESTED
    assert erased == [ErasureStage.DONE]
    release.refresh_from_db()
    assert (release.attempts, release.failure_code) == (0, "")
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


# --- waiting and breaking off ------------------------------------------------------


def test_a_step_that_breaks_off_is_tried_again_and_quotes_nobody(
    ada: User,
    hers: Donor,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = ask(ada, clock)
    with monkeypatch.context() as patch:
        patch.setattr(
            "gemmule.releases.erasure.ledger.erasure.erase_bodies",
            lambda *, subject: 1 / int(subject.int * 0),
        )
        assert erasure.run(begun.pk, clock=clock) == ErasureStage.BODIES
    assert "ZeroDivisionError at bodies" in caplog.text
    assert str(hers.subject) not in caplog.text
    assert erasure.run(begun.pk, clock=clock) is None
    clock.tick(seconds=61)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE


def test_a_reader_of_the_log_makes_the_end_wait(
    ada: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(models: object) -> None:
        raise ErasureWaits("somebody reads")

    begun = ask(ada, clock)
    with monkeypatch.context() as patch:
        patch.setattr("gemmule.releases.wiping.wipe", busy)
        assert erasure.run(begun.pk, clock=clock) == ErasureStage.WIPE
    begun.refresh_from_db()
    assert (begun.donor, begun.subject, begun.user) == (None, None, None)
    clock.tick(seconds=6)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE


def test_only_one_worker_holds_an_erasure(ada: User, clock: Clock) -> None:
    begun = ask(ada, clock)
    held = erasure._take(begun.pk, clock())
    assert held is not None
    assert erasure.run(begun.pk, clock=clock) is None
    clock.tick(seconds=61)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    with pytest.raises(LeaseLost):
        erasure._go_on(held, ErasureStage.SEQUENCE)


def test_a_map_uploaded_meanwhile_sends_it_back_to_the_stores(
    ada: User, hers: Donor, dataset: Dataset, clock: Clock
) -> None:
    begun = ask(ada, clock)
    row = Sample.objects.get(donor=hers)
    Erasure.objects.filter(pk=begun.pk).update(
        stage=ErasureStage.ROWS, builds_stopped_at=clock()
    )
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    assert not Sample.objects.filter(pk=row.pk).exists()


def test_the_last_day_of_a_consent_does_not_stop_the_reaper(
    ada: User, hers: Donor, clock: Clock
) -> None:
    """An erasure that takes its time must not break the periodic task."""
    Donor.objects.filter(pk=hers.pk).update(erased_at=clock())
    clock.tick(days=400)
    assert closing.expire_consents(now=clock() + timedelta(days=1)) == 0
