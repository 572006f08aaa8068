"""A proof leads from the bytes of an entry to the cosigned head, and from no others."""

import logging
import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings

from ledger import (
    commitments,
    errors,
    inclusion,
    models,
    publishing,
    selectors,
    services,
    vault,
)
from ledger.tiles import TileStore
from ledger.tlog import entry
from ledger.tlog import opening as tlog_opening
from ledger.tlog.opening import Opening
from ledger.tlog.receipt import Receipt
from ledger.tlog.tile import Tile

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_every_published_entry_is_proved(record: Record) -> None:
    events = [record() for _ in range(6)]
    for seq, event in enumerate(events, start=1):
        found = inclusion.prove(event)
        checked = inclusion.check(found)
        assert (checked.index, checked.cosigned.checkpoint.size) == (seq, 7)
        assert checked.entry.seq == seq
        assert len(found.proof) <= 3
        assert Receipt.parse(inclusion.receipt(event)) == found


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


def test_a_changed_receipt_is_refused(record: Record) -> None:
    events = [record() for _ in range(6)]
    found, other = inclusion.prove(events[2]), inclusion.prove(events[3])
    changes: list[dict[str, Any]] = [
        {"entry": other.entry},
        {"entry": found.entry.replace(b"steward", b"auditor")},
        {"entry": b"{}"},
        {"index": 4},
        {"proof": found.proof[:-1]},
        {"proof": (*found.proof, bytes(32))},
        {"note": found.note.replace(b"\n7\n", b"\n8\n")},
        {"entry": other.entry, "proof": other.proof},
    ]
    for change in changes:
        with pytest.raises(errors.VerificationError):
            inclusion.check(replace(found, **change))


def test_an_entry_that_claims_another_place_is_refused(record: Record) -> None:
    found = inclusion.prove(record())
    parsed = entry.parse(found.entry)
    moved = entry.encode(replace(parsed, seq=5))
    with pytest.raises(errors.ReceiptInvalid, match="of entry 1 holds entry 5"):
        inclusion.check(replace(found, entry=moved))


def test_a_rewritten_row_gives_no_proof_that_holds(
    record: Record, unguarded: Unguarded
) -> None:
    events = [record() for _ in range(6)]
    row = models.Entry.objects.get(event=events[2])
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.save()
    with pytest.raises(errors.ProofInvalid):
        inclusion.check(inclusion.prove(events[2]))
    # The tiles still prove the others.
    inclusion.check(inclusion.prove(events[0]))


def test_a_proof_reads_few_tiles_and_no_other_entry(
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    events = [record() for _ in range(6)]
    read: list[str] = []
    read_tile = TileStore.read

    def noted(self: TileStore, tile: Tile) -> bytes:
        read.append(tile.path)
        return read_tile(self, tile)

    monkeypatch.setattr(TileStore, "read", noted)
    with django_assert_num_queries(2):
        inclusion.prove(events[0])
    assert read == ["tile/0/000.p/7"]


def test_lost_tiles_cost_nobody_a_receipt(record: Record) -> None:
    event = record()
    record()
    kept = inclusion.prove(event)
    shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
    assert inclusion.prove(event) == kept


def test_spoiled_tiles_cost_nobody_a_receipt(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    events = [record() for _ in range(4)]
    kept = inclusion.prove(events[0])
    store = publishing.store()
    for garbage in (bytes(5 * 32), b"short"):
        store.write(Tile(level=0, index=0, width=5), garbage)
        with caplog.at_level(logging.ERROR):
            assert inclusion.prove(events[0]) == kept
    assert "the tiles do not prove entry 1 of 5" in caplog.text


def test_an_opening_opens_its_own_entry_alone(record: Record, ada: uuid.UUID) -> None:
    first = record("consent.given", {}, {"terms": 1}, subject=ada)
    second = record("consent.changed", {}, {"terms": 2}, subject=ada)
    found = inclusion.opening(first)
    assert found is not None
    assert found.body["terms"] == 1
    assert found.body["subject_seq"] == 1
    assert Opening.parse(found.encode()) == found
    tlog_opening.check(found, selectors.entry(first).commit)
    with pytest.raises(errors.OpeningInvalid):
        tlog_opening.check(found, selectors.entry(second).commit)
    # It holds the key of this event, not that of the subject.
    assert found.key == commitments.commitment_key(vault.open_key(ada), first)


def test_what_was_erased_has_no_opening(
    record: Record, ada: uuid.UUID, now: datetime
) -> None:
    first = record("consent.given", {}, {"terms": 1}, subject=ada)
    second = record("consent.changed", {}, {"terms": 2}, subject=ada)
    models.Body.objects.filter(event=second).update(
        sealed=None, commit=None, key_id=None, subject_seq=None
    )
    assert inclusion.opening(second) is None
    vault.destroy(ada, now=now)
    assert inclusion.opening(first) is None
    with pytest.raises(errors.EntryNotFound):
        inclusion.opening(uuid.uuid4())


def test_an_exchanged_body_is_not_handed_out(
    record: Record, unguarded: Unguarded
) -> None:
    first, second = record(body={"a": 1}), record(body={"b": 1})
    other = models.Body.objects.get(event=second)
    with unguarded():
        models.Body.objects.filter(event=first).update(
            sealed=other.sealed, key_id=other.key_id
        )
        models.Body.objects.filter(event=second).delete()
    with pytest.raises(errors.VaultSealBroken):
        inclusion.opening(first)
