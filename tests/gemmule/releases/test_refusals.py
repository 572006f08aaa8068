"""What a closed release says: what happened, when, and what takes its place."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from consent.models import Donor
from consent.terms import Terms
from gemmule.accounts.models import User
from gemmule.releases import closing, gate, refusals, services
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseDonor, ReleaseState
from tests import cohorts
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import approved, available, folders, release
from tests.gemmule.api.sealing import seal_release

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "project",
    "release",
    "submitted",
]
pytestmark = pytest.mark.django_db


def refused(release: Release, user: User, now: datetime) -> DeliveryRefused:
    fresh = Release.objects.select_related("request__project", "key").get(pk=release.pk)
    with pytest.raises(DeliveryRefused) as caught:
        gate.check_open(fresh, user, today=now.date())
    assert caught.value.release in ("", release.accession)
    return caught.value


def donor_of(release: Release) -> Donor:
    return ReleaseDonor.objects.select_related("donor").filter(release=release)[0].donor


def withdraw(release: Release, now: datetime) -> None:
    services.withdraw_consent(
        donor=donor_of(release), channel="donor", event=uuid.uuid4(), now=now
    )


def change(release: Release, now: datetime) -> None:
    services.change_consent(
        donor=donor_of(release),
        form=cohorts.form(now),
        terms=Terms.from_json({"permission": "POA"}),
        withheld={},
        discovery=True,
        event=uuid.uuid4(),
        now=now,
    )


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (withdraw, "A donor in it withdrew."),
        (change, "A donor in it changed what is allowed, and no longer allows"),
    ],
)
def test_a_revoked_release_says_why_and_what_takes_its_place(
    available: Release,
    rosa: User,
    now: datetime,
    act: Callable[[Release, datetime], None],
    says: str,
) -> None:
    act(available, now)
    told = refused(available, rosa, now)
    assert told.code == "release-revoked"
    assert told.title == "This release was revoked"
    assert f"{available.accession} was revoked on 2 March 2026. {says}" in str(told)
    successor = Release.objects.get(supersedes=available)
    assert told.successor == successor.accession
    assert f"{successor.accession} takes its place and is being built." in str(told)


def test_the_newest_of_several_in_its_place_is_named(
    available: Release, rosa: User, now: datetime
) -> None:
    withdraw(available, now)
    second = seal_release(Release.objects.get(supersedes=available), now=now)
    told = refused(available, rosa, now)
    assert told.code == "release-superseded"
    assert str(told).endswith(f"{second.accession} takes its place and is ready.")

    withdraw(second, now)
    third = Release.objects.get(supersedes=second)
    told = refused(available, rosa, now)
    assert told.successor == third.accession
    # Withdrawals of a day share one rebuild.
    assert "it is built on 3 March 2026" in str(told)


def test_nothing_is_promised_where_nothing_takes_its_place(
    available: Release, rosa: User, ira: User, now: datetime
) -> None:
    closing.revoke(user=ira, release=available, reason="A fault was found.", now=now)
    told = refused(available, rosa, now)
    assert "on 2 March 2026. A fault was found. Delete every copy of it." in str(told)
    assert "No release takes its place" in str(told)
    assert told.successor == ""
    assert refusals.newest_in_place_of(available) is None


@pytest.mark.parametrize("state", ["failed", "expired", "revoked"])
def test_what_has_ended_itself_takes_nobodys_place(
    available: Release, rosa: User, now: datetime, state: str
) -> None:
    withdraw(available, now)
    Release.objects.filter(supersedes=available).update(
        state=state, failure_reason="lost"
    )
    told = refused(available, rosa, now)
    assert "No release takes its place" in str(told)
    assert told.successor == ""


def test_a_pause_is_told_as_one(available: Release, rosa: User, now: datetime) -> None:
    services.pause_consent(
        donor=donor_of(available), channel="donor", event=uuid.uuid4(), now=now
    )
    told = refused(available, rosa, now)
    assert (told.code, told.title) == (
        "release-suspended",
        "This release is suspended",
    )
    assert "Nothing is to be deleted" in str(told)


def test_the_last_day_is_named(available: Release, rosa: User, now: datetime) -> None:
    told = refused(available, rosa, now + timedelta(days=366))
    assert told.title == "This release has expired"
    assert "was 2 March 2027; ask the IRB" in str(told)
    closing.expire(now=now + timedelta(days=366))
    available.refresh_from_db()
    assert available.state == ReleaseState.EXPIRED
    assert str(refused(available, rosa, now)) == str(told)


def test_an_open_gate_pays_nothing_for_words_it_does_not_say(
    available: Release,
    rosa: User,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    fresh = Release.objects.select_related("request__project", "key").get(
        pk=available.pk
    )
    # Of the three, two ask whether releases are held.
    with django_assert_num_queries(3):
        gate.check_open(fresh, rosa, today=now.date())
