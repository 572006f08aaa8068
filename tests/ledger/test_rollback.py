"""Rows that went back are told by what was signed since, and by nothing else."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings

from ledger import (
    copies,
    cosigning,
    errors,
    exporting,
    keys,
    models,
    rollback,
    selectors,
    sequencing,
    services,
)
from ledger.bodies import CHECKPOINT
from ledger.copies import FolderCopies
from ledger.tlog import checkpoint
from tests.ledger import tampering
from tests.ledger.circle import Circle
from tests.witnesses import STRANGER

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def go_back(record: Record, unguarded: Unguarded) -> Callable[..., None]:
    """Return a function that restores the tables to where they had two entries.

    What came after is two entries more. With `local` the files of this machine go
    back as well.
    """

    def restore(*, local: bool = False) -> None:
        record()
        ledger_dir = Path(settings.DATA_DIR) / "ledger"
        kept = ledger_dir.with_name(f"kept-{uuid.uuid4()}")
        shutil.copytree(ledger_dir, kept)
        for _ in range(2):
            record()
        services.publish(now=datetime.now().astimezone())
        with unguarded():
            tampering.cut_back(2)
            models.Body.objects.exclude(
                event__in=models.Entry.objects.values("event")
            ).delete()
        if local:
            shutil.rmtree(ledger_dir)
            shutil.move(kept, ledger_dir)
        rollback.forget()

    return restore


@pytest.fixture
def circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Record) -> Circle:
    record()
    return Circle(tmp_path / "circle", monkeypatch)


def told() -> set[tuple[str, bool]]:
    return {(each.code, each.is_proof) for each in rollback.examine()}


def test_a_log_that_goes_on_contradicts_nothing(record: Record) -> None:
    assert told() == set()
    for _ in range(3):
        record()
        assert told() == set()
    assert rollback.floor() == selectors.tree_size()


def test_what_is_accepted_behind_rows_that_went_back_waits_for_its_place(
    go_back: Callable[..., None], record: Record
) -> None:
    go_back()
    assert told() == {("rows-behind", True)}
    record()
    assert (selectors.tree_size(), selectors.pending_count()) == (2, 1)


def test_a_running_process_sees_it_at_once(
    record: Record, unguarded: Unguarded
) -> None:
    record()
    record()
    assert rollback.proofs() == ()
    # Its own files go with the tables: it has seen more itself.
    shutil.rmtree(Path(settings.DATA_DIR) / "ledger")
    with unguarded():
        tampering.cut_back(2)
    assert [each.code for each in rollback.proofs()] == ["rows-behind"]


def test_another_history_of_the_same_size_is_told_by_its_root(
    go_back: Callable[..., None], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_back()
    with monkeypatch.context() as patch:
        patch.setattr(rollback, "proofs", tuple)
        for _ in range(3):
            record()
            while sequencing.sequence(now=datetime.now().astimezone()):
                pass
    assert selectors.tree_size() == 5
    rollback.forget()
    assert told() == {("rows-differ", True)}


def test_a_note_of_no_key_of_the_log_only_alarms(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    record()
    store = copies.here()
    ours = keys.log_key()
    last = selectors.latest_checkpoint()
    assert last is not None
    ahead = checkpoint.Checkpoint(origin=ours.name, size=10**6, root=last.root)
    genuine = checkpoint.sign(ahead, ours)
    other = checkpoint.Checkpoint(origin=STRANGER.name, size=10**6, root=last.root)
    for forged in (
        b"nonsense",
        genuine.replace(b"1000000", b"1000001"),
        checkpoint.sign(other, STRANGER),
    ):
        store.write(CHECKPOINT, forged)
        rollback.forget()
        assert told() == {("note-unsigned", False)}
        assert rollback.proofs() == ()
    assert "it proves nothing" in caplog.text
    # The same under the key of the log is no claim any more.
    store.write(CHECKPOINT, genuine)
    assert ("rows-behind", True) in told()


def test_without_any_public_file_the_notary_remembers(
    go_back: Callable[..., None],
) -> None:
    go_back()
    shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
    assert told() == {("rows-behind", True)}


def test_where_all_of_the_machine_went_back_a_witness_shows_what_it_cosigned(
    circle: Circle, go_back: Callable[..., None]
) -> None:
    go_back(local=True)
    assert ("rows-behind", True) in told()
    circle.away = set(circle.names)
    rollback.forget()
    # Whoever is away is not ahead.
    assert told() == set()


def test_a_mirror_and_the_copy_in_a_bucket_show_it_too(
    go_back: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirror"
    monkeypatch.setattr(copies, "_others", [lambda: [FolderCopies(folder)]])
    go_back()
    public = Path(settings.LEDGER_PUBLIC_DIR)
    shutil.copytree(public, folder)
    shutil.rmtree(public)
    keys.notary_state_file().unlink()
    rollback.forget()
    assert told() == {("rows-behind", True)}
    monkeypatch.setattr(copies, "_others", [])
    rollback.forget()
    assert told() == set()
    monkeypatch.setattr(settings, "LEDGER_MIRRORS", [str(folder)])
    rollback.forget()
    assert told() == {("rows-behind", True)}
    monkeypatch.setattr(settings, "LEDGER_MIRRORS", ["http://127.0.0.1:9/ledger"])
    rollback.forget()
    assert told() == set()


def test_one_refusing_witness_is_a_claim_and_a_quorum_is_a_proof(
    circle: Circle,
    go_back: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with witnesses of other software, which show no note."""
    go_back(local=True)
    monkeypatch.setattr(cosigning, "last_note", lambda *_, **__: None)
    circle.away = {"w1"}
    assert told() == {("witness-refuses", False)}
    circle.away = set()
    assert told() == {("witness-refuses", True)}


def test_a_witness_shows_a_note_that_bears_the_signature_of_the_log(
    circle: Circle, record: Record, now: datetime
) -> None:
    record()
    services.publish(now=now)
    name = settings.LEDGER_ORIGIN
    shown = circle.witness("w0").last_note(f"{name}\n".encode()).encode()
    signed = checkpoint.open_note(shown, keys.log_key().verifier)
    assert signed.size == selectors.tree_size()
    with pytest.raises(errors.LogUnknown):
        circle.witness("w0").last_note(b"example.com/other\n")


def test_an_exported_copy_holds_no_bodies(record: Record, tmp_path: Path) -> None:
    record()
    exporting.export(tmp_path / "export")
    assert list(copies.here().names("bodies")) == ["000000"]
    assert not (tmp_path / "export" / "bodies").exists()
