"""A log that was lost comes back from what others keep, and goes on from there."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from ledger import (
    errors,
    exporting,
    inspection,
    keys,
    mirror,
    models,
    restoring,
    selectors,
    services,
    vault,
)
from ledger.management.commands import restore_ledger
from ledger.sources import Folder
from ledger.tlog.policy import Policy
from tests.ledger.losing import findings, policy, restore, rows
from tests.ledger.test_sources import Server

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.mark.parametrize("start", [0, 1, 4, 7])
def test_lost_entries_come_back_with_their_events(
    start: int,
    export: Path,
    lose: Callable[..., None],
    now: datetime,
) -> None:
    before, head = rows(), selectors.head()
    note = selectors.latest_checkpoint()
    lose(start=start)
    assert restore(export, now) == restoring.Restored(size=7, new=7 - start, unknown=0)
    assert rows() == before
    assert selectors.head() == head
    found = selectors.latest_checkpoint()
    assert note is not None and found is not None and found.note == note.note
    assert findings() == []


def test_the_log_goes_on_and_a_mirror_follows(
    export: Path,
    lose: Callable[..., None],
    record: Record,
    ada: uuid.UUID,
    now: datetime,
    tmp_path: Path,
) -> None:
    mirror.pull(Folder(export), into=tmp_path / "mirror", policy=policy())
    lose()
    restore(tmp_path / "mirror", now)
    # Seven acts more, the fourth of Ada among them, and the whole holds.
    record("consent.withdrawn", {}, {"terms": 4}, subject=ada)
    for _ in range(6):
        record()
    assert findings() == []
    exporting.export(export)
    pulled = mirror.pull(Folder(export), into=tmp_path / "mirror", policy=policy())
    assert (pulled.new, pulled.cosigned.checkpoint.size) == (7, 14)


def test_restoring_twice_is_restoring_once(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    lose()
    restore(export, now)
    before = rows()
    assert restore(export, now).new == 0
    assert rows() == before and findings() == []


def test_the_policy_that_the_log_announced_is_not_announced_again(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    lose()
    restore(export, now)
    restored = models.Checkpoint.objects.get()
    assert restored.policy is not None
    assert restored.policy.sha256 == policy().sha256
    record()
    assert selectors.tree_size() == 8


def test_another_policy_to_restore_by_does_not_replace_the_announced_one(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    lose()
    announced = policy()
    commented = Policy.parse(f"# kept elsewhere\n{announced.text}")
    restoring.restore(export, policy=commented, now=now)
    # Its text came with the copy.
    assert selectors.policy() == announced
    record()
    assert selectors.tree_size() == 8
    assert findings() == []


def test_a_policy_whose_text_is_lost_is_told_of(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    lose()
    commented = Policy.parse(f"# kept elsewhere\n{policy().text}")
    (export / "policy").unlink()
    restoring.restore(export, policy=commented, now=now)
    assert models.Checkpoint.objects.get().policy is None
    assert any("it was not published by the policy" in each for each in findings())


def test_files_that_others_read_are_made_again(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    shown = settings.LEDGER_PUBLIC_DIR
    before = (shown / "checkpoint").read_bytes()
    lose()
    shutil.rmtree(shown, ignore_errors=True)
    restore(export, now)
    assert (shown / "checkpoint").read_bytes() == before
    assert findings() == []


def test_an_older_copy_than_others_have_read_is_refused(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    """Also where the notary's memory was lost, and somebody answers for it."""
    record()
    shown = settings.LEDGER_PUBLIC_DIR
    kept = shown.with_name("kept")
    shutil.copytree(shown, kept)
    lose()
    kept.rename(shown)
    keys.notary_state_file().unlink()
    with pytest.raises(errors.RestoreRefused, match="own files cover 8 entries, these"):
        restoring.restore(export, policy=policy(), now=now, notary_forgot=True)
    assert selectors.tree_size() == 0
    restoring.restore(shown, policy=policy(), now=now, notary_forgot=True)
    assert selectors.tree_size() == 8
    assert findings() == []


def test_a_pending_event_that_is_an_entry_is_pending_no_more(
    events: list[uuid.UUID],
    record: Record,
    lose: Callable[..., None],
    unguarded: Unguarded,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A backup was made while an event was pending, and what came after it was lost.
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event, other = record(), record()
    kept = list(models.Pending.objects.order_by("id"))
    services.settle(now=now)
    exporting.export(tmp_path)
    before = rows()
    lose(start=7)
    models.Pending.objects.bulk_create(kept)
    assert restore(tmp_path, now) == restoring.Restored(size=9, new=2, unknown=0)
    assert rows() == before
    assert not models.Pending.objects.exists()
    assert findings() == []
    assert {event, other} == {each for _, each, _, _ in rows()[7:]}


def test_a_pending_event_that_became_something_else_is_refused(
    events: list[uuid.UUID],
    record: Record,
    lose: Callable[..., None],
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
    kept = models.Pending.objects.get()
    services.settle(now=now)
    exporting.export(tmp_path)
    lose(start=7)
    models.Pending.objects.bulk_create([kept])
    with transaction.atomic():
        models.Pending.objects.all().delete()
        kept.pub = {"role": "auditor"}
        models.Pending.objects.bulk_create([kept])
    with pytest.raises(errors.RestoreRefused, match="is entry 7 of the files, and say"):
        restore(tmp_path, now)
    assert len(rows()) == 7


def test_what_is_still_pending_stays_pending(
    export: Path,
    lose: Callable[..., None],
    record: Record,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lose(start=4)
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event = record()
    restore(export, now)
    assert models.Pending.objects.get().event == event
    services.settle(now=now)
    assert selectors.entry(event).seq == 7
    assert findings() == []


def test_without_bodies_the_log_comes_back_and_nobody_can_open_it(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    datas = [data for _, _, data, _ in rows()]
    lose(models.Body)
    assert restore(export, now) == restoring.Restored(size=7, new=7, unknown=7)
    assert [data for _, _, data, _ in rows()] == datas
    report = inspection.inspect()
    assert (report.findings, report.erased) == ([], 7)
    assert selectors.open_body(rows()[3][1]) is None
    record()
    assert findings() == []


def test_erased_events_find_places_again(
    events: list[uuid.UUID],
    ada: uuid.UUID,
    lose: Callable[..., None],
    now: datetime,
    tmp_path: Path,
) -> None:
    vault.destroy(ada, now=now)
    models.Body.objects.filter(key_id=ada).update(
        key_id=None, subject_seq=None, commit=None, sealed=None
    )
    exporting.export(tmp_path)
    before = {seq: event for seq, event, _, _ in rows()}
    lose()
    assert restore(tmp_path, now).unknown == 0
    after = {seq: event for seq, event, _, _ in rows()}
    # Which of the three is which was forgotten; all others are as they were.
    assert {before[seq] for seq in (1, 3, 5)} == {after[seq] for seq in (1, 3, 5)}
    assert all(before[seq] == after[seq] for seq in (0, 2, 4, 6))
    assert findings() == []


def test_a_lost_body_beside_erased_ones_gets_an_event_of_its_own(
    events: list[uuid.UUID],
    ada: uuid.UUID,
    lose: Callable[..., None],
    unguarded: Unguarded,
    now: datetime,
    tmp_path: Path,
) -> None:
    models.Body.objects.filter(key_id=ada).update(
        key_id=None, subject_seq=None, commit=None, sealed=None
    )
    exporting.export(tmp_path)
    lose()
    with unguarded():
        models.Body.objects.filter(event=events[1]).delete()
    # Four entries and three erased bodies: nobody knows which belong together.
    assert restore(tmp_path, now).unknown == 4
    assert all("was accepted, but is neither" in each for each in findings())
    assert len(findings()) == 3


def test_the_command_restores_from_files(
    export: Path, lose: Callable[..., None]
) -> None:
    lose()
    out = StringIO()
    arguments = ("--policy", str(export / "policy"))
    call_command(
        restore_ledger.Command(), "--from-tiles", str(export), *arguments, stdout=out
    )
    assert out.getvalue() == (
        "the ledger has 7 entries; 7 of them were restored, 0 with their bodies; "
        "nobody can open 0 of the restored ones any more\n"
    )
    (export / "checkpoint").unlink()
    with pytest.raises(CommandError, match="nothing was restored: checkpoint is not"):
        call_command(restore_ledger.Command(), "--from-tiles", str(export), *arguments)


def test_the_command_restores_from_a_mirror_at_an_address(
    export: Path, lose: Callable[..., None], tmp_path: Path
) -> None:
    lose()
    token = tmp_path / "token"
    token.write_text("abc123\n")
    server = Server()
    for path in export.rglob("*"):
        if path.is_file():
            name = f"/ledger/{path.relative_to(export)}"
            server.answers[name] = (200, {}, path.read_bytes())
    try:
        call_command(
            restore_ledger.Command(),
            *("--from-mirror", server.address, "--token-file", str(token)),
            *("--policy", str(export / "policy")),
            stdout=StringIO(),
        )
    finally:
        server.close()
    assert len(rows()) == 7 and findings() == []
    assert {each for _, each in server.asked} == {"Token abc123"}
