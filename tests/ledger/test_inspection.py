"""A sound ledger is left in peace, and a fault in any table of it is found."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from django.conf import settings

from ledger import inspection, keys, models, services, vault
from ledger.tlog.note import SignerKey
from tests.ledger.tampering import found

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_a_sound_ledger(events: list[uuid.UUID]) -> None:
    report = inspection.inspect()
    assert report.is_sound
    assert (report.entries, report.published, report.pending) == (7, 7, 0)


def test_an_empty_ledger_is_sound_and_is_given_no_key() -> None:
    assert inspection.inspect().is_sound
    assert not keys.notary_state_file().exists()


def test_pending_events_are_sound(
    events: list[uuid.UUID],
    ada: uuid.UUID,
    record: Record,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    record("consent.withdrawn", {}, subject=ada)
    record()
    report = inspection.inspect()
    assert report.is_sound
    assert report.pending == 2
    services.sequence(now=now)
    report = inspection.inspect()
    assert report.is_sound
    assert (report.entries, report.published, report.pending) == (9, 7, 0)


def test_more_than_one_chunk_is_sound(
    events: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_AT_ONCE", 3)
    report = inspection.inspect()
    assert (report.is_sound, report.entries) == (True, 7)


def test_a_changed_leaf_hash_column_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).update(leaf_hash=bytes(32))
    assert found() == [("leaf-hash", 3)]


def test_a_deleted_pending_row_is_detected_by_its_body(
    events: list[uuid.UUID], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    event = record()
    models.Pending.objects.filter(event=event).delete()
    (finding,) = inspection.inspect().findings
    assert (finding.code, finding.event) == ("event-lost", event)


def test_a_pending_row_changed_is_detected(
    events: list[uuid.UUID],
    record: Record,
    unguarded: Unguarded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    event, other, third = record(), record(), record()
    with unguarded():
        models.Pending.objects.filter(event=event).update(commit=bytes(32))
        models.Pending.objects.filter(event=other).update(pub={"donor": "Ada"})
        models.Pending.objects.filter(event=third).update(event=events[0])
    report = inspection.inspect()
    codes = sorted(each.code for each in report.findings)
    assert codes == ["body", "event-lost", "pending", "pending"]
    assert "Ada" not in str(report.findings)


def test_a_deleted_body_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Body.objects.filter(event=events[1]).delete()
    (finding,) = inspection.inspect().findings
    assert (finding.code, finding.seq, finding.event) == ("body", 2, events[1])
    assert finding.message == "entry 2: its body was deleted"


def test_an_exchanged_body_is_detected_by_the_commitment(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    first, second = (models.Body.objects.get(event=events[at]) for at in (1, 3))
    with unguarded():
        models.Body.objects.filter(event=events[1]).update(
            sealed=second.sealed, commit=second.commit
        )
        models.Body.objects.filter(event=events[5]).update(commit=first.commit)
    assert found() == [("body", 2), ("body", 6)]


def test_an_event_taken_off_its_subject_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Body.objects.filter(event=events[2]).update(subject_seq=None)
    assert found() == [("subject", 3), ("subject", 5)]


def test_an_erased_subject_is_no_fault(
    events: list[uuid.UUID], ada: uuid.UUID, now: datetime
) -> None:
    vault.destroy(ada, now=now)
    models.Body.objects.filter(event=events[0]).update(
        sealed=None, commit=None, key_id=None, subject_seq=None
    )
    report = inspection.inspect()
    assert report.is_sound
    assert report.erased == 3


def test_a_lost_vault_key_is_detected(events: list[uuid.UUID], ada: uuid.UUID) -> None:
    models.VaultKey.objects.filter(id=ada).delete()
    assert found() == [("vault", 1), ("vault", 3), ("vault", 5)]


def test_a_vault_key_that_does_not_open_is_detected(
    events: list[uuid.UUID], ada: uuid.UUID
) -> None:
    models.VaultKey.objects.filter(id=ada).update(wrapped=bytes(60))
    assert found() == [("vault", 1), ("vault", 3), ("vault", 5)]


def test_a_changed_checkpoint_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    note = bytes(models.Checkpoint.objects.get(size=7).note)
    with unguarded():
        models.Checkpoint.objects.filter(size=7).update(
            note=note.replace(b"\n7\n", b"\n8\n")
        )
        models.Checkpoint.objects.filter(size=6).update(root=bytes(32))
        models.Checkpoint.objects.filter(size=5).update(frontier=b"short")
        models.Checkpoint.objects.filter(size=4).update(note=note)
    assert [each for each in found() if each[0] == "checkpoint"] == [
        ("checkpoint", size) for size in (4, 4, 5, 6, 7)
    ]


def test_a_changed_head_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded, now: datetime
) -> None:
    with unguarded():
        models.Head.objects.update(last_time=now - timedelta(days=1))
    assert found() == [("head", 7)]


def test_a_notary_without_memory_is_found(events: list[uuid.UUID]) -> None:
    keys.notary_state_file().unlink()
    (finding,) = inspection.inspect().findings
    assert finding.code == "notary"
    assert "cannot be read" in finding.message


def test_an_old_memory_of_the_notary_is_found(
    events: list[uuid.UUID], record: Record
) -> None:
    memory = keys.notary_state_file().read_bytes()
    record()
    keys.notary_state_file().write_bytes(memory)
    (finding,) = inspection.inspect().findings
    assert "an old copy of its memory" in finding.message


def test_another_key_than_the_announced_one_is_found(events: list[uuid.UUID]) -> None:
    other = SignerKey(name=keys.log_key().name, seed=bytes(32))
    settings.LEDGER_KEY_FILE.write_text(other.text)
    # What the announced key has signed stays good.
    assert found() == [("key", 0), ("policy", None)]


def test_without_the_log_key_the_rest_is_still_examined(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    settings.LEDGER_KEY_FILE.unlink()
    with unguarded():
        models.Entry.objects.filter(seq=3).update(leaf_hash=bytes(32))
    assert found() == [("key", None), ("leaf-hash", 3)]
