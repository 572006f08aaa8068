"""The database itself keeps decisions as they were made, and one of them current."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

import consent.selectors
import consent.services
from consent.models import Act, Consent, Donor
from consent.terms import Terms

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]
HEALTH = Terms(permission="HMB", modifiers={"NPUNCU": True})


@pytest.mark.parametrize(
    "change",
    [
        {"terms": {"permission": "GRU"}},
        {"act": Act.CHANGED},
        {"number": 7},
        {"discovery": True},
        {"withheld": {"genes": ["APOE"]}},
        {"valid_until": date(2030, 1, 1)},
        {"event": uuid4()},
    ],
)
def test_a_decision_cannot_be_changed(given: Given, change: dict[str, Any]) -> None:
    made = given(terms=HEALTH)
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
    ):
        Consent.objects.filter(pk=made.pk).update(**change)


def test_a_superseded_decision_cannot_be_made_current_again(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given()
    last = consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    Consent.objects.filter(pk=last.pk).update(is_current=False)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Consent.objects.filter(pk=made.pk).update(is_current=True)


def test_two_decisions_never_stand_at_once(given: Given, donor: Donor) -> None:
    made = given()
    made.pk, made.number, made.event = uuid4(), 2, uuid4()
    with (
        pytest.raises(IntegrityError, match="consent_one_current_per_donor"),
        transaction.atomic(),
    ):
        made.save(force_insert=True)


def test_a_decision_is_deleted_only_with_an_erased_donor(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given()
    with (
        pytest.raises(IntegrityError, match="only when its donor is erased"),
        transaction.atomic(),
    ):
        made.delete()
    Donor.objects.filter(pk=donor.pk).update(erased_at=now)
    made.delete()
    assert not consent.selectors.history(donor)
