"""A proof leads from the bytes of an entry to the signed head, and from no others."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ledger import errors, inclusion, models, services
from ledger.tlog import entry

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_every_signed_entry_is_proved(record: Record) -> None:
    events = [record() for _ in range(6)]
    for seq, event in enumerate(events, start=1):
        found = inclusion.prove(event)
        inclusion.check(found)
        assert (found.index, found.size) == (seq, 7)
        assert len(found.path) <= 3


def test_an_entry_is_not_proved_before_a_checkpoint_covers_it(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.EntryNotFound):
        inclusion.prove(uuid.uuid4())
    record()
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event = record()
    for step in (services.sequence, services.publish):
        with pytest.raises(errors.EntryNotFound, match="no signed checkpoint covers"):
            inclusion.prove(event)
        step(now=now)
    inclusion.check(inclusion.prove(event))


def test_a_changed_proof_is_refused(record: Record) -> None:
    events = [record() for _ in range(6)]
    found, other = inclusion.prove(events[2]), inclusion.prove(events[3])
    changes: list[dict[str, Any]] = [
        {"data": other.data},
        {"data": found.data.replace(b"steward", b"auditor")},
        {"data": b"{}"},
        {"index": 4},
        {"path": found.path[:-1]},
        {"path": (*found.path, bytes(32))},
        {"size": 6},
        {"root": bytes(32)},
        {"note": found.note.replace(b"\n7\n", b"\n8\n")},
        {"data": other.data, "path": other.path},
    ]
    for change in changes:
        with pytest.raises(errors.VerificationError):
            inclusion.check(replace(found, **change))


def test_an_entry_that_claims_another_place_is_refused(record: Record) -> None:
    found = inclusion.prove(record())
    parsed = entry.parse(found.data)
    moved = entry.encode(replace(parsed, seq=5))
    with pytest.raises(errors.EntryInvalid, match="entry 5 stands where 1 belongs"):
        inclusion.check(replace(found, data=moved))


def test_changed_rows_give_no_proof_that_holds(
    record: Record, unguarded: Unguarded
) -> None:
    events = [record() for _ in range(6)]
    with unguarded():
        models.Entry.objects.filter(seq=2).update(leaf_hash=bytes(32))
    with pytest.raises(errors.ProofInvalid):
        inclusion.check(inclusion.prove(events[0]))
