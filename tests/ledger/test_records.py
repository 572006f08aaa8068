"""A donor's record holds all her acts, in order, and none of anybody else's."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from ledger import records, selectors, services
from ledger.models import VaultKey
from ledger.tlog import canonical, opening, receipt

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., UUID]


@pytest.fixture
def ada(database: str, now: datetime) -> UUID:
    return services.new_subject(now=now)


def acts_of(data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(data)["acts"]
    return found


def test_a_record_holds_every_act_in_the_order_of_its_subject(
    record: Record, ada: UUID, now: datetime
) -> None:
    other = services.new_subject(now=now)
    events = []
    for type_ in ("consent.given", "consent.paused", "consent.withdrawn"):
        events.append(record(type_, {}, subject=ada))
        record("consent.given", {}, subject=other)
    found = records.of_subject(ada, now=now)
    assert (found.acts, found.waiting) == (3, 0)
    assert records.events_of(ada) == events
    for number, act in enumerate(acts_of(found.data), start=1):
        checked = receipt.check(
            receipt.Receipt.parse(act["receipt"].encode()), selectors.policy()
        )
        opened = opening.Opening.parse(canonical.write(act["opening"]))
        opening.check(opened, checked.entry.commit)
        assert opened.event == events[number - 1]
        assert opened.body["subject_seq"] == number


def test_a_record_says_what_it_is_in_canonical_form(
    record: Record, ada: UUID, now: datetime
) -> None:
    record("consent.given", {}, subject=ada)
    data = records.of_subject(ada, now=now).data
    said = canonical.read(data)
    assert canonical.write(said) == data
    assert sorted(said) == ["acts", "kind", "made_at", "origin", "v"]
    assert (said["v"], said["kind"]) == (1, "gemmule/donor-record")
    assert said["made_at"] == "2026-03-02T09:30:00.000Z"
    assert said["origin"] == selectors.verifier_key().partition("+")[0]


def test_acts_that_wait_are_counted_and_left_out(
    record: Record, ada: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("consent.given", {}, subject=ada)
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    record("consent.withdrawn", {}, subject=ada)
    found = records.of_subject(ada, now=now)
    assert (found.acts, found.waiting) == (1, 1)
    services.sequence(now=now)
    found = records.of_subject(ada, now=now)
    assert (found.acts, found.waiting) == (1, 1)


def test_a_subject_without_acts_has_an_empty_record(ada: UUID, now: datetime) -> None:
    for subject in (ada, uuid.uuid4()):
        found = records.of_subject(subject, now=now)
        assert (found.acts, found.waiting, acts_of(found.data)) == (0, 0, [])


def test_what_was_erased_keeps_its_receipt_alone(
    record: Record, ada: UUID, now: datetime
) -> None:
    record("consent.given", {}, subject=ada)
    VaultKey.objects.using("vault").filter(pk=ada).update(
        wrapped=None, destroyed_at=now
    )
    (act,) = acts_of(records.of_subject(ada, now=now).data)
    assert act["opening"] is None
    receipt.check(receipt.Receipt.parse(act["receipt"].encode()), selectors.policy())
