"""Withdrawal, change, pause, revocation, expiry: what each closes, and when."""

import uuid
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

import gemmule.access.services
import ledger.selectors
from consent.errors import StateRefused
from consent.models import Consent, Donor
from consent.terms import Terms
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.notices.models import Notice
from gemmule.releases import build, closing, services, upkeep
from gemmule.releases.models import Release, ReleaseState
from tests import cohorts, factories
from tests.gemmule.audit.conftest import as_superuser
from tests.gemmule.releases.conftest import Clock, Keyring

__all__ = ["as_superuser"]
pytestmark = pytest.mark.django_db


def withdraw(donor: Donor, clock: Clock) -> None:
    services.withdraw_consent(
        donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
    )


def test_withdrawal_revokes_the_release_and_says_so_on_the_ledger(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    withdraw(donors[4], clock)
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert built.event_revoked is not None
    entry = ledger.selectors.entry(built.event_revoked)
    assert entry.type == "data.revoked"
    assert entry.pub["manifest_sha256"] == built.manifest_sha256


def test_recipient_is_told_by_the_samples_name_in_her_release(
    built: Release, donors: list[Donor], rosa: User, clock: Clock
) -> None:
    name = built.donors.get(donor=donors[4]).sample_name
    withdraw(donors[4], clock)
    notice = Notice.objects.get(user=rosa, kind="release.revoked")
    assert name in notice.body
    assert str(donors[4].pk) not in notice.body


def test_a_successor_without_the_donor_is_built_and_takes_the_place(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    withdraw(donors[4], clock)
    successor = Release.objects.get(supersedes=built)
    assert successor.state == ReleaseState.REQUESTED
    assert build.run(successor.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    successor.refresh_from_db()
    built.refresh_from_db()
    assert successor.state == ReleaseState.AVAILABLE
    assert built.state == ReleaseState.SUPERSEDED
    assert not successor.donors.filter(donor=donors[4]).exists()
    kept = dict(successor.donors.values_list("donor", "sample_name"))
    before = dict(built.donors.values_list("donor", "sample_name"))
    assert all(before[donor] == name for donor, name in kept.items())


def test_withdrawals_of_one_day_share_a_rebuild(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    withdraw(donors[0], clock)
    first = Release.objects.get(supersedes=built)
    build.run(first.pk, clock=clock)
    upkeep.settle(now=clock())
    clock.tick(hours=1)
    withdraw(donors[1], clock)
    second = Release.objects.get(supersedes=first)
    assert second.start_after == clock() + timedelta(hours=23)
    assert upkeep.left_behind(now=clock()) == []
    withdraw(donors[2], clock)
    assert Release.objects.count() == 3
    clock.tick(hours=23)
    assert upkeep.left_behind(now=clock()) == [second.pk]
    assert build.run(second.pk, clock=clock) == ReleaseState.SEALED
    assert second.donors.count() == 25


def test_a_researcher_need_not_wait_for_the_shared_rebuild(
    built: Release,
    donors: list[Donor],
    rosa: User,
    approved: AccessRequest,
    keyring: Keyring,
    clock: Clock,
) -> None:
    withdraw(donors[0], clock)
    build.run(Release.objects.get(supersedes=built).pk, clock=clock)
    upkeep.settle(now=clock())
    withdraw(donors[1], clock)
    waiting = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert waiting.start_after is None
    assert build.run(waiting.pk, clock=clock) == ReleaseState.SEALED


def test_no_successor_below_the_smallest_size(
    built: Release, donors: list[Donor], clock: Clock, settings: Settings
) -> None:
    settings.RELEASE_MIN_DONORS = 28
    withdraw(donors[4], clock)
    assert not Release.objects.filter(supersedes=built).exists()


def test_a_withdrawal_leaves_releases_without_the_donor_alone(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    cohorts.agree(donors[29], cohorts.GENERAL, clock())
    withdraw(donors[29], clock)
    built.refresh_from_db()
    assert built.state == ReleaseState.AVAILABLE


def change(donor: Donor, clock: Clock, terms: dict[str, object]) -> None:
    services.change_consent(
        donor=donor,
        now=clock(),
        form=cohorts.form(clock()),
        terms=Terms.from_json(terms),
        withheld={},
        discovery=True,
        language="en",
        evidence={},
        event=uuid.uuid4(),
    )


def test_a_change_that_denies_closes_like_a_withdrawal(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    change(donors[4], clock, {"permission": "POA"})
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED


def test_a_change_that_still_permits_closes_nothing(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    change(donors[4], clock, {"permission": "HMB"})
    built.refresh_from_db()
    assert built.state == ReleaseState.AVAILABLE


def test_withholding_more_closes_what_holds_it(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    services.change_consent(
        donor=donors[4],
        now=clock(),
        form=cohorts.form(clock()),
        terms=Terms.from_json(cohorts.GENERAL),
        withheld={"genes": ["FAM110C"], "regions": [], "flank": 0, "mode": "missing"},
        discovery=True,
        language="en",
        evidence={},
        event=uuid.uuid4(),
    )
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED


def test_a_pause_suspends_and_its_end_reopens(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    for donor in donors[:2]:
        services.pause_consent(
            donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
        )
    built.refresh_from_db()
    assert built.state == ReleaseState.SUSPENDED
    for number, donor in enumerate(donors[:2]):
        built.refresh_from_db()
        assert built.state == ReleaseState.SUSPENDED, number
        services.resume_consent(
            donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
        )
    built.refresh_from_db()
    assert built.state == ReleaseState.AVAILABLE
    assert not Notice.objects.filter(kind="release.revoked").exists()


@pytest.mark.usefixtures("as_superuser")
def test_a_pause_that_was_edited_away_keeps_the_release_shut(
    built: Release, donors: list[Donor], ira: User, clock: Clock
) -> None:
    """Two donors pause; of one the row says that she went on, the ledger does not."""
    for donor in donors[:2]:
        services.pause_consent(
            donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
        )
    Consent.objects.filter(donor=donors[0], is_current=True).update(act="resumed")
    made = services.resume_consent(
        donor=donors[1], channel="donor", event=uuid.uuid4(), now=clock()
    )
    assert made.act == "resumed"  # Her own act stands.
    built.refresh_from_db()
    assert built.state == ReleaseState.SUSPENDED
    (notice,) = Notice.objects.filter(kind="incident.reported")
    assert notice.user == ira and "1 of its donors" in notice.body
    Consent.objects.filter(donor=donors[0], is_current=True).update(act="paused")
    services.resume_consent(
        donor=donors[0], channel="donor", event=uuid.uuid4(), now=clock()
    )
    built.refresh_from_db()
    assert built.state == ReleaseState.AVAILABLE


def test_withdrawing_twice_is_refused_and_changes_nothing_more(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    withdraw(donors[4], clock)
    size = ledger.selectors.tree_size() + ledger.selectors.pending_count()
    with pytest.raises(StateRefused):
        withdraw(donors[4], clock)
    after = ledger.selectors.tree_size() + ledger.selectors.pending_count()
    assert after == size


def test_a_repeated_click_withdraws_once(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    event = uuid.uuid4()
    made = [
        services.withdraw_consent(
            donor=donors[4], channel="donor", event=event, now=clock()
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_the_irb_and_the_project_revoke_others_do_not(
    built: Release, ira: User, aud: User, rosa: User, clock: Clock
) -> None:
    with pytest.raises(NotAllowed):
        services_revoke(aud, built, clock)
    with pytest.raises(NotFound):
        services_revoke(factories.person(Role.RESEARCHER), built, clock)
    services_revoke(ira, built, clock)
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert services_revoke(rosa, built, clock).state == ReleaseState.REVOKED


def services_revoke(user: User, release: Release, clock: Clock) -> Release:
    return closing.revoke(user=user, release=release, reason="Stop.", now=clock())


def test_a_release_ends_after_its_last_day(built: Release, clock: Clock) -> None:
    clock.tick(days=365)
    assert closing.expire(now=clock()) == 0
    clock.tick(days=1)
    assert closing.expire(now=clock()) == 1
    built.refresh_from_db()
    assert built.state == ReleaseState.EXPIRED


def test_a_consent_that_runs_out_closes_what_rests_on_it(
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
) -> None:
    services.change_consent(
        donor=donors[3],
        now=clock(),
        form=cohorts.form(clock()),
        terms=Terms.from_json(cohorts.GENERAL),
        withheld={},
        discovery=True,
        evidence={},
        event=uuid.uuid4(),
        valid_until=(clock() + timedelta(days=10)).date(),
    )
    release = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    build.run(release.pk, clock=clock)
    upkeep.settle(now=clock())
    clock.tick(days=10)
    assert closing.expire_consents(now=clock()) == 0
    clock.tick(days=1)
    assert closing.expire_consents(now=clock()) == 1
    release.refresh_from_db()
    assert release.state == ReleaseState.REVOKED
    assert closing.expire_consents(now=clock()) == 0


def test_an_approval_that_ends_is_recorded_once(
    approved: AccessRequest, clock: Clock
) -> None:
    clock.tick(days=366)
    assert gemmule.access.services.expire(now=clock()) == 1
    assert gemmule.access.services.expire(now=clock()) == 0
    approved.refresh_from_db()
    assert approved.state == "expired"
