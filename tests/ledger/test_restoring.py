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
from django.db.models import Model

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
from ledger.sources import Folder
from ledger.tlog.policy import Policy
from tests.ledger import tampering
from tests.ledger.test_sources import Server

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def export(events: list[uuid.UUID], tmp_path: Path) -> Path:
    """Return an export of seven entries."""
    exporting.export(tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def lose(unguarded: Unguarded) -> Callable[..., None]:
    """Return a function that loses the log from an entry on, and other tables whole."""

    def lose(*tables: type[Model], start: int = 0) -> None:
        with unguarded():
            if start:
                tampering.cut_back(start)
            else:
                models.Entry.objects.all().delete()
                models.Head.objects.all().delete()
                models.Checkpoint.objects.all().delete()
                models.PolicyVersion.objects.all().delete()
                shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
            for table in tables:
                table._default_manager.all().delete()

    return lose


def policy() -> Policy:
    return Policy.single(keys.log_key().verifier)


def restore(folder: Path, now: datetime) -> restoring.Restored:
    return restoring.restore(folder, policy=policy(), now=now)


def rows() -> list[tuple[int, uuid.UUID, bytes, bytes]]:
    found = models.Entry.objects.order_by("seq")
    return [
        (each.seq, each.event, bytes(each.data), bytes(each.leaf_hash))
        for each in found
    ]


def findings() -> list[str]:
    return [each.message for each in inspection.inspect().findings]


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


def test_another_policy_is_announced_when_the_log_goes_on(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    lose()
    commented = Policy.parse(f"# kept elsewhere\n{policy().text}")
    restoring.restore(export, policy=commented, now=now)
    assert models.Checkpoint.objects.get().policy is None
    record()
    assert selectors.tree_size() == 9
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


def test_tables_of_another_history_are_left_alone(
    export: Path, unguarded: Unguarded, now: datetime
) -> None:
    with unguarded():
        tampering.rewrite(3, pub={"form_sha256": "ab" * 32})
    before = rows()
    with pytest.raises(errors.RestoreRefused, match="entry 3 of the table is another"):
        restore(export, now)
    assert rows() == before


def test_tables_with_a_hole_are_left_alone(
    export: Path, unguarded: Unguarded, now: datetime
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    with pytest.raises(errors.RestoreRefused, match="the head counts 7 entries, the t"):
        restore(export, now)
    with unguarded():
        models.Head.objects.all().delete()
    with pytest.raises(errors.RestoreRefused, match="missing within the table"):
        restore(export, now)


def test_older_files_do_not_replace_newer_entries(
    export: Path, record: Record, unguarded: Unguarded, now: datetime
) -> None:
    record()
    with pytest.raises(
        errors.NotaryRefused, match="signed 8 entries, the files hold 7"
    ):
        restore(export, now)
    keys.notary_state_file().write_text(
        (export / "checkpoint").read_text().split("\n\n")[0] + "\n"
    )
    with pytest.raises(
        errors.RestoreRefused, match="holds 8 entries, the files only 7"
    ):
        restore(export, now)
    with unguarded():
        models.Entry.objects.filter(seq=7).delete()
        models.Head.objects.all().delete()
    with pytest.raises(errors.RestoreRefused, match="of 8 entries was published"):
        restore(export, now)


def test_files_that_do_not_hold_restore_nothing(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    lose()
    bundle = export / "tile/entries/000.p/7"
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"role.granted", b"role.revoked", 1))
    with pytest.raises(errors.VerificationError):
        restore(export, now)
    bundle.write_bytes(good)
    (export / "tile/0/000.p/7").unlink()
    with pytest.raises(errors.FileNotServed):
        restore(export, now)
    assert rows() == [] and not models.Head.objects.exists()


def test_a_key_that_the_log_does_not_announce_cannot_go_on_with_it(
    export: Path, lose: Callable[..., None], now: datetime
) -> None:
    believed = policy()
    lose()
    keys.notary_state_file().unlink()
    settings.LEDGER_KEY_FILE.unlink()
    keys.create_log_key()
    with pytest.raises(errors.KeyUnannounced, match="does not announce the key"):
        restoring.restore(export, policy=believed, now=now)
    assert rows() == []


def test_a_notary_that_forgot_is_made_to_remember_by_who_answers_for_it(
    export: Path, lose: Callable[..., None], record: Record, now: datetime
) -> None:
    lose()
    keys.notary_state_file().unlink()
    with pytest.raises(errors.NotaryStateLost):
        restore(export, now)
    assert rows() == []
    arguments = ("--from-tiles", str(export), "--policy", str(export / "policy"))
    call_command("restore_ledger", *arguments, "--notary-forgot", stdout=StringIO())
    assert keys.open_notary().last_signed().size == len(rows()) == 7
    record()
    assert findings() == []


def test_nobody_answers_for_a_notary_that_remembers(
    export: Path, record: Record, now: datetime
) -> None:
    record()
    with pytest.raises(errors.NotaryRefused, match="signed 8 entries, the files hold"):
        restoring.restore(export, policy=policy(), now=now, notary_forgot=True)


def test_a_notary_restored_from_an_older_copy_catches_up(
    events: list[uuid.UUID],
    record: Record,
    lose: Callable[..., None],
    now: datetime,
    tmp_path: Path,
) -> None:
    older = keys.notary_state_file().read_bytes()
    for _ in range(5):
        record()
    exporting.export(tmp_path)
    lose()
    keys.notary_state_file().write_bytes(older)
    restore(tmp_path, now)
    assert keys.open_notary().last_signed().size == 12
    record()
    assert findings() == []


def test_the_command_restores_from_files(
    export: Path, lose: Callable[..., None]
) -> None:
    lose()
    out = StringIO()
    arguments = ("--policy", str(export / "policy"))
    call_command("restore_ledger", "--from-tiles", str(export), *arguments, stdout=out)
    assert out.getvalue() == (
        "the ledger has 7 entries, 7 of them put back; 0 of these cannot be opened by "
        "anybody any more\n"
    )
    (export / "checkpoint").unlink()
    with pytest.raises(CommandError, match="nothing was restored: checkpoint is not"):
        call_command("restore_ledger", "--from-tiles", str(export), *arguments)


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
            "restore_ledger",
            *("--from-mirror", server.address, "--token-file", str(token)),
            *("--policy", str(export / "policy")),
            stdout=StringIO(),
        )
    finally:
        server.close()
    assert len(rows()) == 7 and findings() == []
    assert {each for _, each in server.asked} == {"Token abc123"}
