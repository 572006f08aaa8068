"""A consent ends after its last day, and that is recorded once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

import consent.events
import consent.selectors
import consent.services
import ledger.selectors
from consent.errors import ConsentNotFound, StateRefused
from consent.models import Consent, Donor, FormVersion

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]


def test_a_consent_expires_after_its_last_day(
    given: Given, donor: Donor, now: datetime
) -> None:
    last = now.date() + timedelta(days=10)
    made = given(valid_until=last)
    on_last_day = now + timedelta(days=10)
    assert made.state_on(last) == "active"
    with pytest.raises(StateRefused):
        consent.services.expire(donor=donor, now=on_last_day)
    assert not consent.selectors.due_for_expiry(last)
    after = now + timedelta(days=11)
    assert made.state_on(after.date()) == "expired"
    assert list(consent.selectors.due_for_expiry(after.date())) == [donor]
    event = uuid4()
    ended = consent.services.expire(donor=donor, now=after, event=event)
    assert ended.event == event
    assert (ended.act, ended.state) == ("expired", "expired")
    assert consent.services.expire(donor=donor, now=after) == ended
    assert not consent.selectors.due_for_expiry(after.date())
    assert consent.selectors.history(donor).count() == 2


def test_an_expiry_found_by_two_tasks_is_recorded_once(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given(valid_until=now.date())
    ended = consent.services.expire(donor=donor, now=now + timedelta(days=1))
    assert ended.event == consent.events.expiry_event(made.event)
    assert ledger.selectors.entry(ended.event).type == "consent.expired"


def test_a_consent_that_has_run_out_cannot_be_resumed_before_that_is_recorded(
    given: Given, form: FormVersion, donor: Donor, now: datetime
) -> None:
    given(valid_until=now.date())
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    later = now + timedelta(days=1)
    with pytest.raises(StateRefused, match="give a new consent"):
        consent.services.resume(donor=donor, event=uuid4(), now=later)
    given(now=later)


def test_a_donor_without_a_consent_cannot_expire(donor: Donor, now: datetime) -> None:
    with pytest.raises(ConsentNotFound):
        consent.services.expire(donor=donor, now=now)
