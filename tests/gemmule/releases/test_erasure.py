"""A donor who asks is erased: at once for everybody else, then to the last row."""

import gzip
import uuid
from datetime import timedelta
from typing import Any

import pytest

import consent.services
import ledger.selectors
from consent.errors import ErasureBegun
from consent.models import Consent, Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotAllowed, SignatureRefused
from gemmule.accounts.models import DonorAccount, ResearcherKey, Role, RoleGrant, User
from gemmule.accounts.selectors import donor_of
from gemmule.audit.verification import verify
from gemmule.catalog.models import DataFile, DataFileState, Dataset, Sample
from gemmule.catalog.storage import store_path
from gemmule.demo import cast
from gemmule.demo.cast import PASSWORD
from gemmule.releases import build, closing, erasure, services, storage, upkeep
from gemmule.releases.errors import ErasureWaits, LeaseLost
from gemmule.releases.models import (
    Erasure,
    ErasureStage,
    Release,
    ReleaseDonor,
    ReleaseState,
)
from ledger import inspection
from tests import cohorts, factories
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.racing import entries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wiped(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return the tables of each wipe; a real one is refused inside a transaction."""
    found: list[set[str]] = []
    monkeypatch.setattr(
        "gemmule.releases.wiping.wipe",
        lambda models: found.append({one._meta.db_table for one in models}),
    )
    return found


@pytest.fixture
def hers(ada: User) -> Donor:
    found = donor_of(ada)
    assert found is not None
    return found


@pytest.fixture
def donors(hers: Donor, clock: Clock) -> list[Donor]:
    """Return 30 donors, Ada the first; the last two have decided nothing."""
    cohorts.agree(hers, cohorts.GENERAL, clock())
    wishes = [cohorts.GENERAL] * 27 + [None] * 2
    return [hers, *cohorts.donors(wishes, clock())]


def ask(user: User, clock: Clock) -> Erasure:
    return services.ask_for_erasure(user=user, password=PASSWORD, now=clock())


def erase(user: User, clock: Clock) -> Erasure:
    begun = ask(user, clock)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    upkeep.settle(now=clock())
    begun.refresh_from_db()
    return begun


def stored(file: DataFile) -> str:
    return gzip.decompress(store_path(file).read_bytes()).decode()


# --- asking -----------------------------------------------------------------------


def test_asking_takes_effect_at_once(
    ada: User, hers: Donor, built: Release, clock: Clock
) -> None:
    begun = ask(ada, clock)
    ada.refresh_from_db()
    assert not ada.is_active
    assert donor_of(ada) is None
    assert Consent.objects.get(donor=hers, is_current=True).act == "withdrawn"
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert begun.stage == ErasureStage.BUILDS


def test_a_wrong_password_changes_nothing(ada: User, hers: Donor, clock: Clock) -> None:
    with pytest.raises(SignatureRefused):
        services.ask_for_erasure(user=ada, password="wrong", now=clock())
    hers.refresh_from_db()
    assert (hers.erased_at, Erasure.objects.count()) == (None, 0)
    assert donor_of(ada) == hers


def test_nobody_but_a_donor_can_ask(rosa: User, sam: User, clock: Clock) -> None:
    for user in (rosa, sam):
        with pytest.raises(NotAllowed):
            ask(user, clock)
    assert not Erasure.objects.exists()


def test_nothing_new_is_recorded_of_who_is_being_erased(
    ada: User, hers: Donor, dataset: Dataset, clock: Clock
) -> None:
    ask(ada, clock)
    with pytest.raises(ErasureBegun):
        cohorts.agree(hers, cohorts.GENERAL, clock())
    with pytest.raises(ErasureBegun):
        consent.services.refuse(donor=hers, form=None, event=uuid.uuid4(), now=clock())
    assert Consent.objects.filter(donor=hers).latest("number").act == "withdrawn"


def test_whoever_asks_twice_is_erased_once(
    ada: User, hers: Donor, clock: Clock
) -> None:
    first = ask(ada, clock)
    again = erasure.begin(donor=hers, user=ada, now=clock())
    assert again == first
    with pytest.raises(NotAllowed):
        ask(ada, clock)
    assert erasure.run(first.pk, clock=clock) == ErasureStage.DONE
    assert erasure.run(first.pk, clock=clock) is None
    upkeep.settle(now=clock())
    assert len(entries("subject.erased")) == 1


# --- the end ----------------------------------------------------------------------


def test_she_is_gone_and_everything_else_is_there(
    ada: User,
    hers: Donor,
    built: Release,
    dataset: Dataset,
    donors: list[Donor],
    clock: Clock,
) -> None:
    acts = list(Consent.objects.filter(donor=hers).values_list("event", flat=True))
    done = erase(ada, clock)
    assert (done.donor, done.subject, done.user) == (None, None, None)
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not Donor.objects.filter(pk=hers.pk).exists()
    assert Donor.objects.count() == len(donors) - 1
    assert Sample.objects.filter(dataset=dataset).count() == len(donors) - 1
    for event in acts:
        assert ledger.selectors.open_body(event) is None
        assert ledger.selectors.is_published(event)
    assert ledger.selectors.is_published(done.event)
    assert entries("subject.erased") == [{}]
    found = inspection.inspect()
    assert found.is_sound, found.findings


def test_her_genotypes_leave_the_store_and_nobody_elses_do(
    ada: User, built: Release, dataset: Dataset, clock: Clock
) -> None:
    (before,) = dataset.files.all()
    old = store_path(before)
    erase(ada, clock)
    (after,) = dataset.files.all()
    assert not old.exists()
    assert after.attempts == before.attempts + 1
    assert after.state == DataFileState.ACCEPTED
    assert after.sha256_store != before.sha256_store
    assert after.sample_names == before.sample_names[1:]
    assert after.records == (before.records or 0) - 1
    text = stored(after)
    assert cohort_file.NAMES[0] not in text
    assert f"\t{cohort_file.private_position(0)}\t" not in text
    assert f"\t{cohort_file.private_position(1)}\t" in text
    folder = store_path(after).parent
    assert {path.name for path in folder.iterdir()} == {"store-2", "store-2.csi"}
    assert storage.scratch().parent.is_dir()


def test_the_files_of_releases_with_her_are_deleted_and_their_count_is_kept(
    ada: User, built: Release, clock: Clock
) -> None:
    paths = [storage.path_of(file) for file in built.files.all()]
    assert all(path.is_file() for path in paths)
    erase(ada, clock)
    built.refresh_from_db()
    assert not any(path.exists() for path in paths)
    assert set(built.files.values_list("path", flat=True)) == {""}
    assert (built.donors.count(), built.donors_erased) == (27, 1)
    assert built.manifest_sha256 in str(entries("data.released"))


def test_the_release_that_follows_holds_everybody_else(
    ada: User, built: Release, keyring: Keyring, clock: Clock
) -> None:
    erase(ada, clock)
    (successor,) = Release.objects.filter(supersedes=built)
    assert build.run(successor.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    successor.refresh_from_db()
    assert successor.state == ReleaseState.AVAILABLE
    variants = successor.files.get(role="variants")
    text = gzip.decompress(
        keyring.open(storage.path_of(variants).read_bytes())
    ).decode()
    positions = {line.split("\t")[1] for line in text.splitlines() if line[0] != "#"}
    private = {str(cohort_file.private_position(index)) for index in range(1, 28)}
    assert positions == private | {str(one) for one in cohort_file.SHARED_POSITIONS}
    assert [check.question for check in verify(successor) if not check.holds] == []


def test_a_donor_who_withdrew_before_is_erased(
    ada: User, hers: Donor, built: Release, clock: Clock
) -> None:
    services.withdraw_consent(
        donor=hers, channel="donor", event=uuid.uuid4(), now=clock()
    )
    erase(ada, clock)
    assert len(entries("consent.withdrawn")) == 1
    assert not ReleaseDonor.objects.filter(donor_id=hers.pk).exists()


def test_a_donor_who_decided_nothing_is_erased(
    hers: Donor, ada: User, clock: Clock
) -> None:
    erase(ada, clock)
    assert not Donor.objects.exists()
    assert not entries("consent.withdrawn")


def test_a_donor_without_an_account_is_erased(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = services.begin_erasure(
        donor=donors[5], user=None, channel="mail", now=clock()
    )
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    assert not Donor.objects.filter(pk=donors[5].pk).exists()


def test_a_colleague_who_is_a_donor_keeps_the_account_she_works_with(
    rosa: User, clock: Clock
) -> None:
    factories.grant(rosa, Role.DONOR)
    erase(rosa, clock)
    rosa.refresh_from_db()
    assert (rosa.is_active, rosa.name) == (True, cast.ROSA.name)
    assert donor_of(rosa) is None
    roles = set(RoleGrant.objects.filter(user=rosa).values_list("role", flat=True))
    assert roles == {Role.RESEARCHER}


def test_the_acts_of_a_former_colleague_stay_under_no_name(
    rosa: User, approved: AccessRequest, keyring: Keyring, clock: Clock
) -> None:
    factories.grant(rosa, Role.DONOR)
    rosa.role_grants.filter(role=Role.RESEARCHER).update(revoked_at=clock())
    email = rosa.email
    erase(rosa, clock)
    rosa.refresh_from_db()
    assert not rosa.is_active
    assert rosa.name == "Erased person"
    assert not User.objects.filter(email=email).exists()
    assert not rosa.has_usable_password()
    assert ResearcherKey.objects.filter(user=rosa).exists()
    assert not DonorAccount.objects.filter(user=rosa).exists()


def test_everybody_in_a_dataset_can_be_erased(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = [
        services.begin_erasure(donor=one, user=None, channel="mail", now=clock())
        for one in donors
    ]
    stages = [erasure.run(one.pk, clock=clock) for one in begun]
    assert stages == [ErasureStage.DONE] * len(donors)
    assert not DataFile.objects.exists()
    assert not Sample.objects.exists()


def test_thirty_who_ask_at_once_cost_few_rewrites(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = [
        services.begin_erasure(donor=one, user=None, channel="mail", now=clock())
        for one in donors[:20]
    ]
    for one in begun:
        assert erasure.run(one.pk, clock=clock) == ErasureStage.DONE
    (file,) = dataset.files.all()
    assert file.attempts == 2
    assert file.sample_names == list(cohort_file.NAMES[20:])


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
    assert build._fail(held, "cut-failed", "its folder is gone", clock()) is None
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
    real = build._job
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
    monkeypatch.setattr(build, "_job", job_then_erase)
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
