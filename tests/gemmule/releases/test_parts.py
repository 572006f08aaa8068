"""A release in parts: the same bytes, cut by anybody, joined and sealed once."""

import json
from typing import Any

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

import gemmule.access.services
import genomics.child
from gemmule.access import reviews
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.audit.verification import verify
from gemmule.catalog.models import DataFile
from gemmule.demo.cast import PASSWORD
from gemmule.releases import (
    build,
    parts,
    services,
    storage,
    upkeep,
)
from gemmule.releases.errors import LeaseLost
from gemmule.releases.models import (
    Release,
    ReleasePart,
    ReleaseState,
    SplitBuild,
)
from gemmule.releases.progress import Meter
from genomics.errors import BuildFailed, ChildKilled
from genomics.job import Progress
from genomics.part_job import JoinJob, PartResult
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import leftovers
from tests.gemmule.releases.in_parts import (
    COUNT,
    cut_all,
    in_parts,
    plain,
    sealed,
    split,
    waiting,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_parts")]

__all__ = ["in_parts", "split"]


# --- what comes out ----------------------------------------------------------------


def test_the_parts_joined_are_the_release_that_one_worker_cuts(
    rosa: User, split: Release, keyring: Keyring, clock: Clock, settings: Settings
) -> None:
    assert split.state == ReleaseState.BUILDING
    assert ReleasePart.objects.count() == COUNT
    assert build.run(split.pk, clock=clock) is None, "its parts come first"
    cut_all(split, clock)
    records = list(ReleasePart.objects.values_list("records", flat=True))
    assert all(records), "each part has some"
    one = sealed(split, clock)
    assert one.attempts == 1
    assert one.donors.count() == 28
    assert not SplitBuild.objects.exists()
    assert not ReleasePart.objects.exists()
    assert leftovers(one) == []
    assert [check.question for check in verify(one) if not check.holds] == []
    settings.RELEASE_SPLIT_GENOTYPES = 10**9
    keyring.key.pk, keyring.key.fingerprint = None, "cd" * 32
    keyring.key.save(force_insert=True)
    other = services.open_release(
        user=rosa, request=one.request, key=keyring.key, now=clock()
    )
    whole = sealed(other, clock)
    before, after = (
        json.loads(bytes(r.manifest or b""))["manifest"] for r in (one, whole)
    )
    assert plain(one) == plain(whole)
    counts = ("records", "genotypes_withheld", "records_withheld")
    for key in (*counts, "software", "cohort_root"):
        assert (before[key] == after[key]) is (key != "cohort_root")


def test_a_small_release_is_cut_whole(
    release: Release, clock: Clock, settings: Settings
) -> None:
    genotypes = 28 * (cohort_file.COUNT + len(cohort_file.SHARED_POSITIONS))
    settings.RELEASE_SPLIT_GENOTYPES = genotypes + 1
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_a_region_of_a_large_dataset_is_cut_whole(
    approved: AccessRequest,
    rosa: User,
    ira: User,
    keyring: Keyring,
    clock: Clock,
    settings: Settings,
) -> None:
    settings.RELEASE_SPLIT_GENOTYPES = 500
    access = gemmule.access.services
    draft = access.draft_request(
        user=rosa, project=approved.project, dataset=approved.dataset, now=clock()
    )
    draft = access.update_draft(
        user=rosa,
        request=draft,
        purpose=approved.purpose,
        regions_text="2:1-50000",
        justification="Hearts.",
    )
    regional = reviews.approve(
        reviewer=ira,
        request=access.submit(user=rosa, request=draft, now=clock()),
        reason="Sound.",
        expires_on=approved.expires_on,
        resolve=[],
        password=PASSWORD,
        now=clock(),
    )
    release = services.open_release(
        user=rosa, request=regional, key=keyring.key, now=clock()
    )
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_what_was_taken_in_without_columns_is_cut_whole(
    release: Release, clock: Clock
) -> None:
    DataFile.objects.update(sha256_columns="")
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_how_far_each_part_is_is_told(split: Release, clock: Clock) -> None:
    first, *others = waiting(clock)
    clock.tick(minutes=1)
    assert parts.run(first, clock=clock) is None
    split.refresh_from_db()
    told = split.progress
    assert (told["parts"], told["parts_done"]) == (COUNT, 1)
    assert told["part_percents"] == [100, 0]
    assert told["percent"] == 45
    assert told["seconds_left"] == 60
    assert told["records"] == ReleasePart.objects.get(pk=first).records > 0
    assert told["bytes"] > 0
    for part in others:
        parts.run(part, clock=clock)
    split.refresh_from_db()
    assert (split.progress["parts_done"], split.progress["percent"]) == (COUNT, 90)
    heard: list[int] = []
    tell = Meter.tell

    def listen(meter: Meter, progress: Progress) -> None:
        tell(meter, progress)
        split.refresh_from_db()
        heard.append(split.progress["percent"])
        assert split.progress["stage"].startswith("joining")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Meter, "tell", listen)
        sealed(split, clock)
    assert heard
    assert 90 <= min(heard) <= max(heard) <= 99


# --- lost workers ------------------------------------------------------------------


def lose(part: int, clock: Clock) -> None:
    """Take a part as a worker does that is then killed."""
    assert parts._take(part, clock()) is not None
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)


def test_a_lost_worker_costs_one_part(split: Release, clock: Clock) -> None:
    first, second = waiting(clock)
    assert parts.run(first, clock=clock) is None
    assert parts._take(second, clock()) is not None
    assert parts.run(second, clock=clock) is None, "it is held"
    assert waiting(clock) == []
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    sent: list[int] = []
    upkeep.pick_up_parts(send=sent.append, now=clock())
    assert sent == [second]
    assert parts.run(second, clock=clock) == split.pk
    attempts = ReleasePart.objects.order_by("number").values_list("attempts", flat=True)
    assert list(attempts) == [1, 2]
    assert sealed(split, clock).attempts == 1
    assert leftovers(split) == []


def test_a_part_delivered_again_has_no_further_effect(
    split: Release, clock: Clock
) -> None:
    first, *_ = waiting(clock)
    assert parts.run(first, clock=clock) is None
    before = ReleasePart.objects.get(pk=first)
    for _ in range(3):
        assert parts.run(first, clock=clock) is None
    after = ReleasePart.objects.get(pk=first)
    assert (after.attempts, after.sha256) == (1, before.sha256)


def test_a_worker_that_was_given_up_changes_nothing(
    split: Release, clock: Clock
) -> None:
    first, *_ = waiting(clock)
    late = parts._take(first, clock())
    assert late is not None
    path = storage.new_part(split.pk, late.split_id, "late")
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert parts.run(first, clock=clock) is None
    done = ReleasePart.objects.get(pk=first)
    result = PartResult(sha256="ab" * 32, records_out=1, bytes=1)
    with pytest.raises(LeaseLost):
        parts._finish(late, path, result)
    assert ReleasePart.objects.get(pk=first).sha256 == done.sha256 != "ab" * 32


def test_a_part_lost_three_times_sets_the_release_aside(
    split: Release, clock: Clock
) -> None:
    first, *_ = waiting(clock)
    for _ in range(3):
        lose(first, clock)
    assert parts.run(first, clock=clock) is None
    split.refresh_from_db()
    assert (split.state, split.failure_code) == ("failed", "worker-lost")
    assert not SplitBuild.objects.exists()
    assert leftovers(split) == []
    assert waiting(clock) == []


def test_a_part_whose_child_is_killed_three_times_sets_the_release_aside(
    split: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise ChildKilled("out of memory")

    first, *_ = waiting(clock)
    with monkeypatch.context() as patch:
        patch.setattr(genomics.child, "run", die)
        for _ in range(3):
            assert first in waiting(clock)
            assert parts.run(first, clock=clock) is None
            assert first not in waiting(clock), "it waits for a lease"
            clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    split.refresh_from_db()
    assert (split.state, split.failure_code) == ("failed", "set-aside")
    assert "out of memory" in split.failure_reason


def test_a_part_that_cannot_be_cut_fails_the_release(
    split: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BuildFailed("order", "expected positions in order")

    monkeypatch.setattr(genomics.child, "run", fail)
    assert parts.run(waiting(clock)[0], clock=clock) is None
    split.refresh_from_db()
    assert (split.state, split.failure_code) == ("failed", "cut-failed")
    assert waiting(clock) == []


def test_a_lost_join_costs_no_part(
    split: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = genomics.child.run

    def die(job: Any, **options: Any) -> Any:
        if isinstance(job, JoinJob):
            raise ChildKilled("killed")
        return run(job, **options)

    cut_all(split, clock)
    with monkeypatch.context() as patch:
        patch.setattr(genomics.child, "run", die)
        assert build.run(split.pk, clock=clock) is None
    assert upkeep.left_behind(now=clock()) == []
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert upkeep.left_behind(now=clock()) == [split.pk]
    assert sealed(split, clock).attempts == 2
    assert leftovers(split) == []


def test_a_forgotten_join_is_picked_up(split: Release, clock: Clock) -> None:
    assert upkeep.left_behind(now=clock()) == []
    cut_all(split, clock)
    assert upkeep.left_behind(now=clock()) == [split.pk]
    sealed(split, clock)


def test_messages_that_were_lost_are_sent_again_once_a_minute(
    split: Release, clock: Clock
) -> None:
    sent: list[int] = []
    for _ in range(12):
        upkeep.pick_up_parts(send=sent.append, now=clock())
        clock.tick(seconds=5)
    assert len(sent) == COUNT
    clock.tick(seconds=5)
    upkeep.pick_up_parts(send=sent.append, now=clock())
    assert len(sent) == 2 * COUNT
    for part in sent:
        parts.run(part, clock=clock)
    sealed(split, clock)
