"""Receipts and openings are those of the ledger, and are there once it is published."""

import uuid
from datetime import datetime

import pytest
from django.db import transaction

import ledger.selectors
import ledger.services
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import User
from gemmule.audit import receipts
from gemmule.audit.errors import NotYetPublished
from ledger.models import VaultKey
from ledger.tlog import opening, receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(now: datetime) -> uuid.UUID:
    """Return an event that waits for its place."""
    event = uuid.uuid4()
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": "GMD7K2Q9XA"},
            body={"said": "this"},
            event=event,
            now=now,
        )
    return event


def test_a_receipt_verifies_by_the_policy_alone(
    aud: User, event: uuid.UUID, now: datetime
) -> None:
    ledger.services.settle(now=now)
    found = receipt.Receipt.parse(receipts.receipt(user=aud, event=event))
    checked = receipt.check(found, ledger.selectors.policy())
    assert checked.index == ledger.selectors.entry(event).seq
    assert checked.entry.pub == {"dataset": "GMD7K2Q9XA"}


def test_an_opening_opens_its_entry_and_no_other(
    aud: User, event: uuid.UUID, now: datetime
) -> None:
    ledger.services.settle(now=now)
    found = opening.Opening.parse(receipts.opening(user=aud, event=event))
    assert found.event == event
    assert found.body == {"said": "this"}
    opening.check(found, ledger.selectors.entry(event).commit)


def test_neither_is_there_before_a_checkpoint_covers_it(
    aud: User, event: uuid.UUID, now: datetime
) -> None:
    for hand_out in (receipts.receipt, receipts.opening):
        with pytest.raises(NotYetPublished):
            hand_out(user=aud, event=event)
    ledger.services.sequence(now=now)
    for hand_out in (receipts.receipt, receipts.opening):
        with pytest.raises(NotYetPublished):
            hand_out(user=aud, event=event)


def test_a_stranger_is_not_told_that_it_waits(sam: User, event: uuid.UUID) -> None:
    for hand_out in (receipts.receipt, receipts.opening):
        with pytest.raises(NotFound):
            hand_out(user=sam, event=event)


def test_what_was_erased_has_a_receipt_and_no_opening(
    aud: User, event: uuid.UUID, now: datetime
) -> None:
    ledger.services.settle(now=now)
    VaultKey.objects.using("vault").update(wrapped=None, destroyed_at=now)
    assert receipts.receipt(user=aud, event=event)
    with pytest.raises(NotFound, match="was erased"):
        receipts.opening(user=aud, event=event)


def test_a_donors_act_is_not_for_auditors_to_open(aud: User, now: datetime) -> None:
    event = uuid.uuid4()
    with transaction.atomic():
        ledger.services.append(
            type="consent.refused",
            pub={},
            body={},
            event=event,
            subject=ledger.services.new_subject(now=now),
            now=now,
        )
    ledger.services.settle(now=now)
    assert receipts.receipt(user=aud, event=event)
    with pytest.raises(NotAllowed):
        receipts.opening(user=aud, event=event)
