"""Releases that two people, two workers or two donors touch at the same moment."""

import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connections

from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.notices.models import Notice
from gemmule.releases import build, closing, delivery, locks, services, upkeep
from gemmule.releases.manifest import Cut
from gemmule.releases.models import (
    LIVE_STATES,
    Download,
    Release,
    ReleaseFile,
    ReleaseState,
    SplitBuild,
)
from gemmule.releases.work import Work
from ledger import inspection
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import builds, stored
from tests.gemmule.releases.racing import QuickCut, beside, entries, rounds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(built: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QuickCut:
    """Let every further build cut in no time."""
    cut = QuickCut.of(built, tmp_path / "cut")
    monkeypatch.setattr(build, "_cut", cut)
    return cut


def waiting_release(built: Release, clock: Clock) -> Release:
    """Return the next release to the same key, after the end of the one before."""
    closing.revoke(user=built.recipient, release=built, reason="Next.", now=clock())
    return services.open_release(
        user=built.recipient, request=built.request, key=built.key, now=clock()
    )


def act(service: Callable[..., object], donor: Donor, clock: Clock) -> None:
    service(donor=donor, channel="donor", event=uuid.uuid4(), now=clock())


def folders(release: Release) -> list[int]:
    return builds().get(release.pk, [])


def test_asked_for_by_many_at_once_there_is_one_live_release(
    built: Release,
    rosa: User,
    approved: AccessRequest,
    keyring: Keyring,
    clock: Clock,
) -> None:
    for _ in range(rounds(4)):
        for live in Release.objects.filter(state__in=LIVE_STATES):
            closing.revoke(user=rosa, release=live, reason="Next.", now=clock())

        def ask() -> Release:
            return services.open_release(
                user=rosa, request=approved, key=keyring.key, now=clock()
            )

        assert len(set(beside(*[ask] * 6))) == 1
        assert Release.objects.filter(state__in=LIVE_STATES).count() == 1


def test_delivered_to_many_workers_at_once_a_task_has_one_effect(
    built: Release, clock: Clock
) -> None:
    release = waiting_release(built, clock)

    def work() -> ReleaseState | None:
        made = build.run(release.pk, clock=clock)
        upkeep.settle(now=clock())
        return made

    outcomes = beside(*[work] * 5)
    assert sorted(outcomes, key=str) == [None] * 4 + [ReleaseState.SEALED]
    release.refresh_from_db()
    assert (release.state, release.attempts) == (ReleaseState.AVAILABLE, 1)
    assert len(entries("data.released")) == 2
    assert Notice.objects.filter(kind="release.available").count() == 2
    assert folders(release) == [1]
    assert inspection.inspect().is_sound


class HeldCut:
    """Cuts, then waits until it is let go on: a worker that hangs for a while."""

    def __init__(self, quick: QuickCut) -> None:
        self.quick = quick
        self.has_cut = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(
        self,
        release: Release,
        work: Sequence[Work],
        split: SplitBuild | None,
        check_lease: Callable[[], None],
        clock: Clock,
    ) -> Cut:
        cut = self.quick(release, work, split, check_lease, clock)
        if release.fencing_token == 1:
            self.has_cut.set()
            assert self.may_go_on.wait(60)
        return cut


@pytest.mark.parametrize("newer_is_sealed", [True, False])
def test_only_the_newest_of_two_builds_seals(
    built: Release,
    quick: QuickCut,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    newer_is_sealed: bool,
) -> None:
    release = waiting_release(built, clock)
    held = HeldCut(quick)
    monkeypatch.setattr(build, "_cut", held)
    outcomes: dict[str, ReleaseState | None] = {}

    def hang() -> None:
        outcomes["older"] = build.run(release.pk, clock=clock)
        if not newer_is_sealed:
            take_over()

    def take_over() -> None:
        outcomes["newer"] = build.run(release.pk, clock=clock)

    def watch() -> None:
        assert held.has_cut.wait(60)
        lapsed = clock() - timedelta(seconds=1)
        Release.objects.filter(pk=release.pk).update(lease_until=lapsed)
        assert upkeep.left_behind(now=clock()) == [release.pk]
        if newer_is_sealed:
            take_over()
        else:
            # Taken by another worker, who is not as far as sealing.
            assert build._take(release.pk, clock()) is not None
            Release.objects.filter(pk=release.pk).update(lease_until=lapsed)
        held.may_go_on.set()

    beside(hang, watch)
    assert outcomes == {"older": None, "newer": ReleaseState.SEALED}
    release.refresh_from_db()
    assert release.fencing_token == (2 if newer_is_sealed else 3)
    assert folders(release) == [release.fencing_token]
    upkeep.settle(now=clock())
    assert len(entries("data.released")) == 2
    assert inspection.inspect().is_sound


def test_builds_that_take_over_from_each_other_seal_once(
    built: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_ATTEMPTS", 100)
    for _ in range(rounds(4)):
        release = waiting_release(Release.objects.latest("pk"), clock)
        before = len(entries("data.released"))

        def work(release: Release = release) -> list[ReleaseState | None]:
            # To each of them the lease of whoever builds has lapsed long ago.
            late = [Clock(clock() + timedelta(hours=hour)) for hour in range(1, 5)]
            return [build.run(release.pk, clock=one) for one in late]

        outcomes = beside(*[work] * 3)
        assert sum(one.count(ReleaseState.SEALED) for one in outcomes) <= 1
        build.run(release.pk, clock=Clock(clock() + timedelta(days=1)))
        upkeep.settle(now=clock())
        release.refresh_from_db()
        assert release.state == ReleaseState.AVAILABLE
        assert len(entries("data.released")) == before + 1
        assert folders(release) == [release.fencing_token]
        assert {Path(file.path).parts[1] for file in release.files.all()} == {
            f"{release.fencing_token:04d}"
        }
    assert inspection.inspect().is_sound


def test_withdrawals_at_once_revoke_once_and_leave_both_out(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    beside(*[partial(act, services.withdraw_consent, one, clock) for one in donors[:4]])
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert len(entries("data.revoked")) == 1
    successor = Release.objects.get(supersedes=built)
    assert build.run(successor.pk, clock=clock) == ReleaseState.SEALED
    assert successor.donors.count() == 24
    assert not successor.donors.filter(donor__in=donors[:4]).exists()


def follow(release: Release, clock: Clock) -> Release:
    """Build the release that takes the place of a revoked one."""
    successor = Release.objects.get(supersedes=release)
    Release.objects.filter(pk=successor.pk).update(start_after=None)
    assert build.run(successor.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    successor.refresh_from_db()
    assert successor.state == ReleaseState.AVAILABLE
    return successor


def test_the_end_of_a_pause_does_not_reopen_what_a_withdrawal_revokes(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    live = built
    for pausing, leaving in zip(donors[:4], donors[4:8], strict=True):
        act(services.pause_consent, pausing, clock)
        live.refresh_from_db()
        assert live.state == ReleaseState.SUSPENDED
        beside(
            partial(act, services.resume_consent, pausing, clock),
            partial(act, services.withdraw_consent, leaving, clock),
        )
        live.refresh_from_db()
        assert live.state == ReleaseState.REVOKED
        live = follow(live, clock)
        assert live.donors.filter(donor=pausing).exists()
        assert not live.donors.filter(donor=leaving).exists()


def test_the_end_of_a_pause_waits_for_the_lock_before_it_looks(
    built: Release, donors: list[Donor], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The withdrawal commits when the resumed release was found, and not yet locked."""
    act(services.pause_consent, donors[0], clock)
    has_found, may_lock = threading.Event(), threading.Event()
    lock = locks.lock_exclusive

    def late(release_id: int) -> None:
        if threading.current_thread() is resuming:
            has_found.set()
            assert may_lock.wait(60)
        lock(release_id)

    def resume() -> None:
        try:
            act(services.resume_consent, donors[0], clock)
        finally:
            connections.close_all()

    monkeypatch.setattr(locks, "lock_exclusive", late)
    resuming = threading.Thread(target=resume)
    resuming.start()
    assert has_found.wait(60)
    act(services.withdraw_consent, donors[1], clock)
    may_lock.set()
    resuming.join()
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED


def test_a_release_paused_before_it_opens_stays_shut_until_the_pause_ends(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    release = waiting_release(built, clock)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    act(services.pause_consent, donors[0], clock)
    upkeep.settle(now=clock())
    release.refresh_from_db()
    assert release.state == ReleaseState.SUSPENDED
    act(services.resume_consent, donors[0], clock)
    upkeep.settle(now=clock())
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    assert release.available_at is not None
    assert Notice.objects.filter(kind="release.available").count() == 2


def test_downloads_that_end_at_once_are_one_delivery_on_the_ledger(
    built: Release, variants: ReleaseFile, rosa: User, clock: Clock
) -> None:
    def download() -> bytes:
        release = Release.objects.select_related("request__project", "key").get(
            pk=built.pk
        )
        opened = delivery.open_file(
            user=rosa,
            release=release,
            file=release.files.get(pk=variants.pk),
            range_header=None,
            if_range=None,
            clock=clock,
        )
        return b"".join(opened.chunks)

    whole = stored(variants)
    assert set(beside(*[download] * 8)) == {whole}
    outcomes = Download.objects.values_list("outcome", flat=True)
    assert list(outcomes) == ["complete"] * 8
    assert Download.objects.exclude(event=None).count() == 1
    assert len(entries("data.delivered")) == 1
