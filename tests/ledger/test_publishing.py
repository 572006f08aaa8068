"""A head is signed when it extends what was signed before, and never otherwise."""

import logging
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from ledger import (
    errors,
    keys,
    models,
    publishing,
    selectors,
    services,
)
from ledger.notary import Notary
from ledger.tlog import checkpoint, entry

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], Any]


def test_publishing_again_signs_nothing_new(record: Record, now: datetime) -> None:
    record()
    first = services.publish(now=now)
    assert first is not None
    assert services.publish(now=now) == first
    assert models.Checkpoint.objects.count() == 1


def test_each_checkpoint_covers_what_is_there(record: Record) -> None:
    sizes = []
    for _ in range(3):
        record()
        found = selectors.latest_checkpoint()
        assert found is not None
        sizes.append(found.size)
    assert sizes == [2, 3, 4]
    assert models.Checkpoint.objects.count() == 3


def test_a_crash_before_the_checkpoint_is_stored_loses_nothing(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()

    def crash(**values: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
        services.sequence(now=now)
        patch.setattr(models.Checkpoint.objects, "create", crash)
        with pytest.raises(KeyboardInterrupt):
            services.publish(now=now)
    # The notary remembers what nobody received.
    assert keys.open_notary().last_signed().size == 3
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 2
    record()
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 4


def test_the_same_head_is_signed_again_after_a_crash(
    record: Record, now: datetime, unguarded: Unguarded
) -> None:
    record()
    with unguarded():
        models.Checkpoint.objects.all().delete()
    found = services.publish(now=now)
    assert found is not None and found.size == 2


@pytest.mark.usefixtures("reckless")
def test_a_log_that_was_cut_back_gets_no_signature(
    record: Record, now: datetime, unguarded: Unguarded
) -> None:
    for _ in range(3):
        record()
    with unguarded():
        _cut_back(2)
    record()
    with pytest.raises(errors.NotaryRefused, match="signs no smaller tree"):
        services.publish(now=now)


@pytest.mark.usefixtures("reckless")
def test_another_history_of_more_entries_gets_no_signature(
    record: Record, now: datetime, unguarded: Unguarded
) -> None:
    """As after an old backup was restored and work went on."""
    for _ in range(3):
        record()
    with unguarded():
        _cut_back(2)
    with unguarded():
        models.Body.objects.exclude(
            event__in=models.Entry.objects.values("event")
        ).delete()
    for _ in range(5):
        record()
    assert selectors.tree_size() == 7
    with pytest.raises(errors.NotaryRefused, match="history was rewritten"):
        services.publish(now=now)
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 2


def test_an_entry_rewritten_before_it_was_signed_gets_no_signature(
    record: Record,
    now: datetime,
    unguarded: Unguarded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record()
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event = record(pub={"role": "steward"})
    services.sequence(now=now)
    row = models.Entry.objects.get(event=event)
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.save()
    with pytest.raises(errors.RootMismatch, match="rows were changed"):
        services.publish(now=now)


def test_a_missing_entry_gets_no_signature(
    record: Record,
    now: datetime,
    unguarded: Unguarded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record()
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event = record()
        record()
    services.sequence(now=now)
    with unguarded():
        models.Entry.objects.filter(event=event).delete()
    with pytest.raises(errors.SequenceBroken, match="entry 2 is missing"):
        services.publish(now=now)


def test_a_notary_without_memory_signs_nothing(record: Record) -> None:
    record()
    keys.notary_state_file().unlink()
    record()
    with pytest.raises(errors.NotaryStateLost, match="cannot be read"):
        services.publish(now=datetime.now().astimezone())
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 2


def test_an_old_copy_of_the_memory_is_noticed(record: Record, now: datetime) -> None:
    record()
    memory = keys.notary_state_file().read_bytes()
    record()
    keys.notary_state_file().write_bytes(memory)
    record()
    with pytest.raises(errors.NotaryStateLost, match="an old copy"):
        services.publish(now=now)


def test_a_lost_key_is_not_replaced_by_a_new_one(record: Record, now: datetime) -> None:
    record()
    key = keys.log_key()
    path = settings.LEDGER_KEY_FILE
    path.unlink()
    record()
    with pytest.raises(errors.KeyFileInvalid, match="has signed 2 entries"):
        services.publish(now=now)
    path.write_text(key.text)
    services.publish(now=now)
    note = selectors.latest_checkpoint()
    assert note is not None
    assert checkpoint.open_note(note.note.encode(), key.verifier).size == 3


def test_lost_files_are_put_back(record: Record, now: datetime) -> None:
    record()
    record()
    public = settings.LEDGER_PUBLIC_DIR
    before = {path: path.read_bytes() for path in public.rglob("*") if path.is_file()}
    notes = [bytes(row.note) for row in models.Checkpoint.objects.order_by("size")]
    for lost in (public, public / "checkpoint"):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
        found = services.publish(now=now)
        assert found is not None and found.size == 3
        last = public / "tile" / "0" / "000.p" / "3"
        assert last.read_bytes() == before[last]
        assert (public / "checkpoint").read_bytes() == notes[-1]
        assert (public / "policy").read_bytes() == before[public / "policy"]
    assert models.Checkpoint.objects.count() == 2


def test_a_checkpoint_in_place_that_is_none_is_replaced(
    record: Record, now: datetime
) -> None:
    record()
    (settings.LEDGER_PUBLIC_DIR / "checkpoint").write_bytes(b"garbage")
    assert services.publish(now=now) is not None
    head = publishing.store().head()
    assert head is not None and head.size == 2


@pytest.mark.usefixtures("reckless")
def test_files_ahead_of_a_restored_database_are_not_written_over(
    record: Record,
    now: datetime,
    unguarded: Unguarded,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also where the notary's memory was restored with it: the files know."""
    record()
    memory = keys.notary_state_file().read_bytes()
    for _ in range(2):
        record()
    public = settings.LEDGER_PUBLIC_DIR
    before = {path: path.read_bytes() for path in public.rglob("*") if path.is_file()}
    keys.notary_state_file().write_bytes(memory)
    with unguarded():
        _cut_back(2)
    with pytest.raises(errors.HistoryRewritten, match="covers 4 entries and is not"):
        services.publish(now=now)
    record()
    with pytest.raises(errors.HistoryRewritten, match="signs no smaller tree"):
        services.publish(now=now)
    record()
    with pytest.raises(errors.HistoryRewritten, match="history was rewritten"):
        services.publish(now=now)
    assert "nothing is published any more" in caplog.text
    after = {path: path.read_bytes() for path in public.rglob("*") if path.is_file()}
    assert after == before


def test_a_full_tile_that_does_not_fit_stops_publishing_with_an_alarm(
    record: Record,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    record()
    garbage = settings.LEDGER_PUBLIC_DIR / "tile" / "0" / "000"
    garbage.write_bytes(bytes(256 * 32))
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(services, "settle", lambda *, now: None)
        for _ in range(300):
            event = record()
    services.sequence_all(now=now)
    with caplog.at_level(logging.CRITICAL), pytest.raises(errors.TileConflict):
        services.publish(now=now)
    assert "nothing is published any more: tile/0/000 in" in caplog.text
    assert not selectors.is_published(event)
    assert selectors.tree_size() == 302


def test_partial_tiles_do_not_pile_up(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(services, "settle", lambda *, now: None)
        for _ in range(300):
            record()
    services.settle(now=now)
    folders = [path.name for path in settings.LEDGER_PUBLIC_DIR.rglob("*.p")]
    assert sorted(folders) == ["000.p", "001.p", "001.p"]


def test_a_notary_that_signs_something_else_is_not_believed(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
    services.sequence(now=now)
    latest = selectors.latest_checkpoint()
    assert latest is not None
    old = latest.note.encode()
    monkeypatch.setattr(Notary, "sign", lambda self, new, **rest: old)
    with pytest.raises(errors.NotaryRefused, match="another checkpoint than asked"):
        services.publish(now=now)
    assert publishing.store().read_checkpoint() == old


def test_publishing_needs_a_transaction_of_its_own(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that can be rolled back may be shown to others."""
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
    services.sequence(now=now)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.publish(now=now)
    assert not settings.LEDGER_PUBLIC_DIR.exists()


def _cut_back(size: int) -> None:
    """Make the tables what they were at `size` entries, with care."""
    models.Entry.objects.filter(seq__gte=size).delete()
    models.Checkpoint.objects.filter(size__gt=size).delete()
    stored = models.Checkpoint.objects.get(size=size)
    last = models.Entry.objects.get(seq=size - 1)
    models.Head.objects.update(
        size=size,
        frontier=stored.frontier,
        last_leaf=last.leaf_hash,
        last_time=entry.parse(bytes(last.data)).time,
    )
