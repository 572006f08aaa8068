"""Rows that were edited behind the ledger's back are found."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

import consent.services
from consent import reconciliation
from consent.errors import RowAltered
from consent.models import Consent, Donor
from ledger.models import Body

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]


@pytest.fixture
def as_superuser() -> None:
    """Switch the guards off, as whoever owns the database can."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE consent_consent DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE ledger_body DISABLE TRIGGER USER")


def test_rows_that_nobody_touched_are_as_the_ledger_says(
    given: Given, donor: Donor, now: datetime
) -> None:
    given(withheld={"genes": ["APOE"]}, valid_until=now.date())
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    assert reconciliation.check_donor(donor.pk) == 2


@pytest.mark.usefixtures("as_superuser")
@pytest.mark.parametrize(
    "change",
    [
        {"terms": {"permission": "NRES", "diseases": [], "modifiers": {}}},
        {"withheld": {}},
        {"discovery": True},
        {"act": "changed"},
        {"valid_until": None},
    ],
)
def test_an_edited_row_is_found_by_the_field(
    given: Given,
    donor: Donor,
    now: datetime,
    as_superuser: None,
    change: dict[str, Any],
) -> None:
    made = given(withheld={"genes": ["APOE"]}, valid_until=now.date())
    Consent.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(RowAltered, match=f"in: {next(iter(change))}"):
        reconciliation.check_donor(donor.pk)


def test_a_row_without_an_entry_is_found(
    given: Given, donor: Donor, as_superuser: None
) -> None:
    made = given()
    Consent.objects.filter(pk=made.pk).update(event=uuid4())
    with pytest.raises(RowAltered, match="no entry on the ledger"):
        reconciliation.check_donor(donor.pk)


def test_a_withdrawal_that_was_deleted_is_found(
    given: Given, donor: Donor, now: datetime, as_superuser: None
) -> None:
    given()
    consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    given()
    Consent.objects.filter(number=2).delete()
    with pytest.raises(RowAltered, match=r"are missing: \[1, 3\]"):
        reconciliation.check_donor(donor.pk)


def test_another_row_made_current_is_found(
    given: Given, donor: Donor, now: datetime, as_superuser: None
) -> None:
    given()
    consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    Consent.objects.filter(number=2).update(is_current=False)
    Consent.objects.filter(number=1).update(is_current=True)
    with pytest.raises(RowAltered, match="the last must stand"):
        reconciliation.check_donor(donor.pk)


def test_an_erased_body_cannot_be_held_against_anything(
    given: Given, as_superuser: None
) -> None:
    made = given()
    assert reconciliation.check(made) is True
    Body.objects.filter(event=made.event).update(
        key_id=None, subject_seq=None, commit=None, sealed=None
    )
    assert reconciliation.check(made) is False


@pytest.mark.usefixtures("as_superuser")
def test_an_edited_row_is_not_signed_again_by_the_next_act(
    given: Given, donor: Donor, now: datetime
) -> None:
    """A pause and its end repeat what the donor decided, not what the row says."""
    made = given(withheld={"genes": ["APOE"]}, valid_until=now.date())
    before = (made.terms, made.withheld, made.valid_until)
    wide = {"permission": "NRES", "diseases": [], "modifiers": {}}
    Consent.objects.filter(pk=made.pk).update(
        terms=wide, withheld={}, valid_until=None, discovery=True
    )
    paused = consent.services.pause(donor=donor, event=uuid4(), now=now)
    assert (paused.terms, paused.withheld, paused.valid_until) == before
    Consent.objects.filter(pk=paused.pk).update(terms=wide)
    resumed = consent.services.resume(donor=donor, event=uuid4(), now=now)
    assert (resumed.terms, resumed.withheld, resumed.valid_until) == before
    assert reconciliation.check(resumed)


@pytest.mark.usefixtures("as_superuser")
def test_what_does_not_open_permits_nothing_until_the_donor_decides_anew(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given()
    Body.objects.filter(event=made.event).update(
        key_id=None, subject_seq=None, commit=None, sealed=None
    )
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    resumed = consent.services.resume(donor=donor, event=uuid4(), now=now)
    assert resumed.terms["permission"] is None
