"""A year of the IRB in numbers, each counted once and in the right month."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

import consent.services
from consent.models import Consent
from gemmule.access import reviews
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.audit.overview import Month, overview
from gemmule.demo.cast import PASSWORD
from gemmule.releases import closing
from gemmule.releases.models import Release
from tests import cohorts
from tests.gemmule.access.conftest import (
    dataset,
    draft,
    project,
    submit_with,
    submitted,
)
from tests.gemmule.api.conftest import approved, available, folders, release
from tests.gemmule.releases.conftest import keyring

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "project",
    "release",
    "submit_with",
    "submitted",
]
pytestmark = pytest.mark.django_db

Submit = Callable[..., AccessRequest]


@pytest.fixture
def now() -> datetime:
    """Return a day whose month is known, unlike the present's."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def month(now: datetime, start: date) -> Month:
    (found,) = [one for one in overview(now=now).months if one.start == start]
    return found


def waits(now: datetime) -> dict[str, int]:
    return {one.name: one.decisions for one in overview(now=now).waits}


def decide(act: str, reviewer: User, request: AccessRequest, at: datetime) -> None:
    fields: dict[str, object] = {"reason": "So.", "password": PASSWORD}
    if act == "approve":
        fields |= {"expires_on": (at + timedelta(days=90)).date(), "resolve": []}
    getattr(reviews, act)(reviewer=reviewer, request=request, now=at, **fields)


def test_without_anything_there_are_twelve_empty_months(
    db: None, now: datetime
) -> None:
    found = overview(now=now)
    assert [one.start for one in found.months][::11] == [
        date(2025, 4, 1),
        date(2026, 3, 1),
    ]
    assert {
        (one.approved, one.returned, one.denied, one.withdrawn, one.revoked)
        for one in found.months
    } == {(0, 0, 0, 0, 0)}
    assert (found.decided, found.late) == (0, 0)


def test_decisions_are_counted_in_the_month_they_were_signed(
    ingrid: User, submit_with: Submit, now: datetime
) -> None:
    later = now + timedelta(days=40)
    for act, at in (
        ("approve", now),
        ("approve", later),
        ("deny", later),
        ("send_back", later),
    ):
        decide(act, ingrid, submit_with(), at)
    assert month(later, date(2026, 3, 1)).approved == 1
    april = month(later, date(2026, 4, 1))
    assert (april.approved, april.returned, april.denied) == (1, 1, 1)


def test_what_only_leads_to_a_decision_is_not_counted_as_one(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    decide("verify_ethics", ingrid, submitted, now)
    AccessRequest.objects.update(
        purpose={**submitted.purpose, "sensitive": ["children"]}
    )
    decide("approve", ira, submitted, now)
    march = month(now, date(2026, 3, 1))
    assert (march.approved, march.returned, march.denied) == (0, 0, 0)
    decide("countersign", ingrid, submitted, now)
    assert month(now, date(2026, 3, 1)).approved == 1


@pytest.mark.parametrize(
    ("took", "name", "late"),
    [
        (timedelta(0), "1 day or less", 0),
        (timedelta(days=1), "1 day or less", 0),
        (timedelta(days=1, seconds=1), "2 to 3 days", 0),
        (timedelta(days=10), "8 to 10 days", 0),
        (timedelta(days=10, seconds=1), "11 to 20 days", 1),
        (timedelta(days=200), "more than 20 days", 1),
    ],
)
def test_the_wait_is_from_the_last_sending_to_the_decision(
    ingrid: User,
    submit_with: Submit,
    now: datetime,
    took: timedelta,
    name: str,
    late: int,
) -> None:
    at = now + took
    decide("deny", ingrid, submit_with(), at)
    assert waits(at)[name] == 1
    found = overview(now=at)
    assert (found.decided, found.late) == (1, late)


def test_withdrawals_are_counted_by_month_and_other_acts_are_not(
    db: None, now: datetime
) -> None:
    first, second, third = cohorts.donors([cohorts.GENERAL] * 3, now)
    consent.services.withdraw(donor=first, event=uuid.uuid4(), now=now)
    consent.services.withdraw(
        donor=second, event=uuid.uuid4(), now=now + timedelta(days=31)
    )
    consent.services.pause(
        donor=third, event=uuid.uuid4(), now=now + timedelta(days=31)
    )
    later = now + timedelta(days=31)
    assert month(later, date(2026, 3, 1)).withdrawn == 1
    assert month(later, date(2026, 4, 1)).withdrawn == 1


def test_a_month_begins_and_ends_in_utc(db: None, now: datetime) -> None:
    edge = datetime(2026, 3, 1, tzinfo=UTC)
    for at in (edge - timedelta(seconds=1), edge):
        (donor,) = cohorts.donors([cohorts.GENERAL], at - timedelta(days=1))
        consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=at)
    assert month(now, date(2026, 2, 1)).withdrawn == 1
    assert month(now, date(2026, 3, 1)).withdrawn == 1


def test_what_is_older_than_a_year_is_gone_from_it(
    ingrid: User, submit_with: Submit, now: datetime
) -> None:
    decide("deny", ingrid, submit_with(), now)
    (donor,) = cohorts.donors([cohorts.GENERAL], now)
    consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)
    assert Consent.objects.filter(act="withdrawn").exists()
    found = overview(now=datetime(2027, 3, 1, tzinfo=UTC))
    assert sum(one.denied + one.withdrawn for one in found.months) == 0
    assert found.decided == 0


def test_revoked_releases_are_counted_once(
    ira: User, available: Release, now: datetime
) -> None:
    closing.revoke(user=ira, release=available, reason="A fault.", now=now)
    assert month(now, date(2026, 3, 1)).revoked == 1


def test_a_year_takes_four_queries_however_much_there_is(
    ingrid: User,
    submit_with: Submit,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(3):
        decide("deny", ingrid, submit_with(), now + timedelta(days=number))
        with django_assert_num_queries(4):
            overview(now=now + timedelta(days=number))
