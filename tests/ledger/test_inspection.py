"""Each attack on the tables is found, and the finding names what detected it."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from ledger import errors, inspection, keys, models, services, vault
from ledger.tlog import checkpoint, entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier, LeafHash
from ledger.tlog.note import SignerKey

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def ada(now: datetime) -> uuid.UUID:
    return services.new_subject(now=now)


@pytest.fixture
def events(record: Record, ada: uuid.UUID, now: datetime) -> list[uuid.UUID]:
    """Six events, entries 1 to 6; the ones of Ada are 1, 3 and 5."""
    made = []
    for number in range(3):
        at = now + timedelta(minutes=number)
        kind = "consent.changed" if number else "consent.given"
        made.append(record(kind, {}, {"terms": number}, subject=ada, at=at))
        made.append(record(body={"grant": number}, at=at))
    return made


def found() -> list[tuple[str, int | None]]:
    return [(each.code, each.seq) for each in inspection.inspect().findings]


def rows() -> Iterator[models.Entry]:
    yield from models.Entry.objects.order_by("seq")


def rewrite(seq: int, **values: Any) -> None:
    """Write an entry anew and recompute everything behind it, as an owner can."""
    frontier, leaf = Frontier(), entry.NO_PREVIOUS
    last = None
    for row in list(rows()):
        parsed = entry.parse(bytes(row.data))
        whole = {
            "time": parsed.time,
            "type": parsed.type,
            "pub": parsed.pub,
            "commit": parsed.commit,
            **(values if row.seq == seq else {}),
        }
        last = entry.Entry(seq=frontier.size, prev=leaf, **whole)
        row.data = entry.encode(last)
        row.leaf_hash = leaf = hashing.leaf_hash(row.data)
        frontier.append(leaf)
        row.save()
    assert last is not None
    set_head(frontier, leaf, last.time)


def set_head(frontier: Frontier, leaf: LeafHash, time: datetime) -> None:
    models.Head.objects.update(
        size=frontier.size,
        frontier=frontier.to_bytes(),
        last_leaf=leaf,
        last_time=time,
    )


def cut_back(size: int) -> None:
    """Delete the tail and make head and checkpoints what they were before it."""
    models.Entry.objects.filter(seq__gte=size).delete()
    models.Checkpoint.objects.filter(size__gt=size).delete()
    frontier, last = Frontier(), None
    for row in rows():
        frontier.append(LeafHash(bytes(row.leaf_hash)))
        last = row
    assert last is not None
    set_head(
        frontier,
        LeafHash(bytes(last.leaf_hash)),
        entry.parse(bytes(last.data)).time,
    )


def resign_all(key: SignerKey) -> None:
    """Make every checkpoint anew over the rows as they are now."""
    frontier = Frontier()
    for row in rows():
        frontier.append(LeafHash(bytes(row.leaf_hash)))
        head = Checkpoint(origin=key.name, size=frontier.size, root=frontier.root())
        models.Checkpoint.objects.filter(size=frontier.size).update(
            root=head.root,
            note=checkpoint.sign(head, key),
            frontier=frontier.to_bytes(),
        )


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


def test_a_rewritten_row_is_detected_by_the_link_behind_it(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    row = models.Entry.objects.get(seq=4)
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.leaf_hash = hashing.leaf_hash(row.data)
        row.save()
    assert ("chain", 5) in found()


def test_a_rewritten_last_row_is_detected_by_the_signed_root(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    row = models.Entry.objects.get(seq=6)
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.leaf_hash = hashing.leaf_hash(row.data)
        row.save()
    assert {("checkpoint", 7), ("notary", 7), ("head", 7)} <= set(found())


def test_everything_rewritten_and_recomputed_is_detected_by_the_signature(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
    codes = found()
    assert {("checkpoint", 5), ("checkpoint", 6), ("checkpoint", 7)} <= set(codes)
    assert ("head", 7) not in codes


def test_everything_rewritten_and_signed_by_another_key_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    thief = SignerKey(name=keys.log_key().name, seed=bytes(32))
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        resign_all(thief)
    codes = found()
    assert [each for each in codes if each[0] == "checkpoint"]
    assert ("notary", 7) in codes


def test_a_fork_signed_with_the_stolen_key_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    """Without witnesses, what is left is the notary's memory apart from the tables."""
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        resign_all(keys.log_key())
    assert found() == [("notary", 7)]


def test_a_deleted_tail_is_detected_by_checkpoint_and_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq__gte=5).delete()
    codes = [each[0] for each in found()]
    assert codes.count("tail") == 2
    assert "head" in codes
    assert "event-lost" in codes


def test_a_tail_deleted_with_care_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    """As an old backup looks, with everything in the tables fitting together."""
    with unguarded():
        cut_back(5)
        models.Body.objects.exclude(
            event__in=models.Entry.objects.values("event")
        ).delete()
    assert found() == [("tail", 5)]


def test_a_tail_deleted_with_all_checkpoints_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        for model in (models.Entry, models.Checkpoint, models.Head, models.Body):
            model.objects.all().delete()
    assert found() == [("tail", 0)]


def test_a_removed_entry_is_detected_by_the_gap(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    assert ("chain", 3) in found()


def test_a_back_dated_insertion_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    early = entry.parse(bytes(models.Entry.objects.get(seq=1).data)).time
    with unguarded():
        rewrite(5, time=early)
    report = inspection.inspect()
    assert [(each.code, each.seq) for each in report.findings][:1] == [("chain", 5)]
    assert "entry 5 is dated" in report.findings[0].message


def test_a_row_appended_apart_from_the_sequencer_is_detected_by_the_head(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    last = models.Entry.objects.get(seq=6)
    data = entry.encode(
        entry.Entry(
            seq=7,
            prev=LeafHash(bytes(last.leaf_hash)),
            time=entry.parse(bytes(last.data)).time,
            type="subject.erased",
            pub={},
            commit=bytes(32),
        )
    )
    models.Entry.objects.create(
        seq=7, event=uuid.uuid4(), data=data, leaf_hash=hashing.leaf_hash(data)
    )
    assert found() == [("head", 7)]


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
        ("checkpoint", size) for size in (4, 4, 5, 6, 7, 7)
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
    codes = found()
    assert ("key", 0) in codes
    assert ("checkpoint", 7) in codes


def test_without_the_log_key_the_rest_is_still_examined(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    settings.LEDGER_KEY_FILE.unlink()
    with unguarded():
        models.Entry.objects.filter(seq=3).update(leaf_hash=bytes(32))
    assert found() == [("key", None), ("leaf-hash", 3)]


def test_the_command_says_that_all_holds(events: list[uuid.UUID]) -> None:
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "the ledger holds: 7 entries, 7 of them under a signed" in out.getvalue()


def test_the_command_fails_and_says_what_is_wrong(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    out = StringIO()
    with pytest.raises(CommandError, match=r"does not hold: \d+ finding") as failed:
        call_command("verify_ledger", stdout=out)
    assert failed.value.returncode == 1
    assert "chain: entry 3 was expected, entry 4 came" in out.getvalue()


def test_the_command_speaks_json(events: list[uuid.UUID], unguarded: Unguarded) -> None:
    out = StringIO()
    call_command("verify_ledger", "--json", stdout=out)
    sound = json.loads(out.getvalue())
    assert (sound["sound"], sound["entries"], sound["findings"]) == (True, 7, [])
    with unguarded():
        models.Body.objects.filter(event=events[1]).delete()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--json", stdout=out)
    (finding,) = json.loads(out.getvalue())["findings"]
    assert finding == {
        "code": "body",
        "message": "entry 2: its body was deleted",
        "seq": 2,
        "event": str(events[1]),
    }


def test_sequence_ledger_settles_what_a_crash_left(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = StringIO()
    call_command("sequence_ledger", stdout=out)
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
    call_command("sequence_ledger", stdout=out)
    assert out.getvalue().splitlines() == [
        "the ledger has no entries yet",
        "2 entries are under a signed checkpoint",
    ]


def test_sequence_ledger_says_why_nothing_is_signed(
    events: list[uuid.UUID], record: Record
) -> None:
    keys.notary_state_file().unlink()
    record()
    with pytest.raises(CommandError, match="nothing is signed"):
        call_command("sequence_ledger")


def test_a_transaction_around_the_sequencer_is_refused(
    events: list[uuid.UUID], record: Record, now: datetime
) -> None:
    """It would hold the head, and on SQLite every writer, for as long as it lasts."""
    with transaction.atomic():
        record()
        with pytest.raises(RuntimeError, match="durable"):
            services.sequence(now=now)


def test_errors_have_one_root() -> None:
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, Exception):
            assert issubclass(each, errors.LedgerError)
            assert f"── {each.__name__}" in (errors.__doc__ or "") or (
                each is errors.LedgerError
            )
