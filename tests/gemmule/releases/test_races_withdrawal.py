"""A withdrawal beside a build: it comes first, or it finds the release to revoke."""

import gzip
import random
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.releases import build, closing, services, upkeep
from gemmule.releases.models import Release, ReleaseDonor, ReleaseState
from ledger import inspection
from tests import cohorts
from tests.gemmule.releases.cohort_file import private_position
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import stored
from tests.gemmule.releases.racing import (
    Aim,
    QuickCut,
    beside,
    entries,
    let_pass,
    rounds,
)

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = (ReleaseState.SEALED, ReleaseState.AVAILABLE, ReleaseState.SUSPENDED)


@pytest.fixture
def quick(built: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QuickCut:
    """Let every further build cut in no time."""
    cut = QuickCut.of(built, tmp_path / "cut")
    monkeypatch.setattr(build, "_cut", cut)
    return cut


def withdraw(donor: Donor, clock: Clock) -> None:
    services.withdraw_consent(
        donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
    )


def check_nobody_is_in_against_her_will() -> None:
    """No release whose bytes may go holds a donor who has withdrawn."""
    rows = ReleaseDonor.objects.filter(
        release__state__in=OPEN,
        donor__consents__is_current=True,
        donor__consents__act="withdrawn",
    )
    assert not rows.exists()


def renewed(
    user: User, request: AccessRequest, keyring: Keyring, clock: Clock
) -> Release:
    """End the live release and ask for the next."""
    for live in Release.objects.filter(state__in=[*OPEN, ReleaseState.REQUESTED]):
        closing.revoke(user=user, release=live, reason="Next round.", now=clock())
    return services.open_release(
        user=user, request=request, key=keyring.key, now=clock()
    )


def who_came_first(release: Release, donor: Donor) -> str:
    """Return who won; fail unless what followed is right for that."""
    release.refresh_from_db()
    if release.state == ReleaseState.REVOKED:
        assert release.donors.filter(donor=donor).exists()
        assert release.event_revoked is not None
        successor = Release.objects.get(supersedes=release)
        assert successor.state == ReleaseState.REQUESTED
        return "seal"
    if release.state == ReleaseState.REQUESTED:
        assert not release.files.exists() and not release.donors.exists()
        return "withdrawal during the build"
    assert release.state == ReleaseState.AVAILABLE
    assert not release.donors.filter(donor=donor).exists()
    return "withdrawal before the build"


def build_and_settle(release: Release, clock: Clock) -> None:
    """Do what the task does; put back, the release waits for the test to look."""
    if build.run(release.pk, clock=clock) == ReleaseState.SEALED:
        upkeep.settle(now=clock())


@pytest.mark.slow
def test_a_withdrawal_beside_the_seal_is_first_or_revokes(
    quick: QuickCut,
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    rng: random.Random,
) -> None:
    outcomes: Counter[str] = Counter()
    aim = Aim(rng)
    for _ in range(rounds(25)):
        release = renewed(rosa, approved, keyring, clock)
        donor, delay = rng.choice(donors[:28]), aim.draw()

        def act(donor: Donor = donor, delay: float = delay) -> None:
            let_pass(delay)
            withdraw(donor, clock)

        def make(release: Release = release) -> None:
            build_and_settle(release, clock)

        beside(make, act)
        check_nobody_is_in_against_her_will()
        outcome = who_came_first(release, donor)
        outcomes[outcome] += 1
        aim.learn(delayed_won=outcome != "seal")
        following = Release.objects.filter(state=ReleaseState.REQUESTED).first()
        assert (following is None) == (outcome == "withdrawal before the build")
        if following is not None:
            following.start_after = None
            following.save()
            build_and_settle(following, clock)
            following.refresh_from_db()
            assert following.state == ReleaseState.AVAILABLE
            assert following.donors.count() == 27
            assert not following.donors.filter(donor=donor).exists()
        check_nobody_is_in_against_her_will()
        cohorts.agree(donor, cohorts.GENERAL, clock())
    print(dict(outcomes))
    assert outcomes["seal"] and outcomes["withdrawal during the build"]
    sealed = Release.objects.exclude(manifest_sha256="")
    released = [one["manifest_sha256"] for one in entries("data.released")]
    assert sorted(released) == sorted(one.manifest_sha256 for one in sealed)
    assert inspection.inspect().is_sound


@pytest.mark.slow
def test_whenever_she_withdraws_her_alleles_are_in_no_open_release(
    built: Release,
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    rng: random.Random,
) -> None:
    """The same with the real cut, the withdrawal at any moment of a build."""
    length = 1.0  # of a build, in seconds
    for number in range(rounds(5)):
        release = renewed(rosa, approved, keyring, clock)
        index = rng.randrange(28)
        # The first comes before the build, the last after it.
        delay = rng.uniform(0, length) if 0 < number % 5 < 4 else 0.0
        began = time.monotonic()

        def act(donor: Donor = donors[index], delay: float = delay) -> None:
            let_pass(delay)
            withdraw(donor, clock)

        def make(release: Release = release) -> None:
            build_and_settle(release, clock)

        match number % 5:
            case 0:
                act()
                make()
            case 4:
                make()
                act()
            case _:
                beside(make, act)
        length = time.monotonic() - began
        check_nobody_is_in_against_her_will()
        for waiting in Release.objects.filter(state=ReleaseState.REQUESTED):
            waiting.start_after = None
            waiting.save()
            build_and_settle(waiting, clock)
        (live,) = Release.objects.filter(state__in=OPEN)
        data = stored(live.files.get(role="variants"))
        text = gzip.decompress(keyring.open(data)).decode()
        positions = {
            int(line.split("\t")[1])
            for line in text.splitlines()
            if not line.startswith("#")
        }
        others = {private_position(other) for other in range(28) if other != index}
        assert private_position(index) not in positions
        assert others <= positions
        cohorts.agree(donors[index], cohorts.GENERAL, clock())
    assert inspection.inspect().is_sound
