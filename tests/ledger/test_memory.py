"""A memory is believed only when it is where it was written, and goes one way."""

import os
import shutil
import time
from pathlib import Path

import pytest

from ledger import errors, memory
from ledger.memory import Memory
from ledger.tlog.checkpoint import Checkpoint
from tests.witnesses import LOG

ORIGIN = "example.com/log"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "seen" / "log.checkpoint"
    memory.create_dated(found, origin=ORIGIN)
    return found


def advance(found: Memory, old: int, new: int) -> Checkpoint:
    return found.advance(
        LOG.head(new),
        old_size=old,
        consistency=LOG.proof(old, new),
        sign=lambda: found.last(),
    )


def _age(path: Path, seconds: int) -> None:
    """Let the memory say that it was written earlier, as one put back does."""
    text, _, stamp = path.read_text().rpartition(" ")
    path.write_text(f"{text} {int(stamp) - seconds * 10**9}\n")


def test_it_is_on_the_disk_before_anything_is_signed(path: Path) -> None:
    found = Memory(path, origin=ORIGIN)
    assert found.last().size == 0
    assert advance(found, 0, 5) == LOG.head(5)
    assert advance(found, 5, 8) == LOG.head(8)
    assert Memory(path, origin=ORIGIN).last() == LOG.head(8)


def test_a_failed_signature_leaves_a_memory_that_is_ahead(path: Path) -> None:
    found = Memory(path, origin=ORIGIN)

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        found.advance(LOG.head(5), old_size=0, consistency=[], sign=fail)
    assert found.last() == LOG.head(5)


def test_each_refusal_says_what_is_wrong(path: Path) -> None:
    found = Memory(path, origin=ORIGIN)
    advance(found, 0, 5)
    fork = LOG.fork(3)

    def offer(new: Checkpoint, old: int, proof: list[bytes]) -> None:
        found.advance(new, old_size=old, consistency=proof, sign=lambda: None)

    with pytest.raises(errors.OldSizeStale) as stale:
        offer(LOG.head(8), 4, LOG.proof(4, 8))
    assert stale.value.size == 5
    with pytest.raises(errors.RootForked) as forked:
        offer(fork.head(5), 5, [])
    assert forked.value.size == 5
    with pytest.raises(errors.HistoryRewritten):
        offer(fork.head(8), 5, fork.proof(5, 8))
    with pytest.raises(errors.HistoryRewritten, match="signs no smaller tree"):
        offer(LOG.head(4), 5, [])
    assert found.last() == LOG.head(5)


def test_an_empty_tree_is_left_without_a_proof_only(path: Path) -> None:
    found = Memory(path, origin=ORIGIN)
    with pytest.raises(errors.HistoryRewritten, match="nothing leads from an empty"):
        found.advance(
            LOG.head(5), old_size=0, consistency=[bytes(32)], sign=lambda: None
        )


@pytest.mark.parametrize("tool", ["copy", "copy with its times", "move back", "edit"])
def test_a_memory_put_back_is_not_believed(path: Path, tool: str) -> None:
    found = Memory(path, origin=ORIGIN)
    advance(found, 0, 5)
    # A backup from an hour ago: nobody waits for that here.
    backup = path.with_name("backup")
    shutil.copy2(path, backup)
    _age(backup, 3600)
    advance(found, 5, 8)
    match tool:
        case "copy":
            shutil.copy(backup, path)
        case "copy with its times":
            before = time.time() - 3600
            os.utime(backup, (before, before))
            shutil.copy2(backup, path)
            assert path.stat().st_mtime == pytest.approx(before)
        case "move back":
            backup.replace(path)
        case "edit":
            path.write_text(backup.read_text())
    with pytest.raises(errors.NotaryStateLost, match="restored, copied or touched"):
        Memory(path, origin=ORIGIN).last()


def test_a_copy_of_the_whole_folder_is_not_believed(path: Path, tmp_path: Path) -> None:
    advance(Memory(path, origin=ORIGIN), 0, 5)
    _age(path, 3600)
    shutil.copytree(path.parent, tmp_path / "elsewhere")
    with pytest.raises(errors.NotaryStateLost):
        memory.read(tmp_path / "elsewhere" / path.name)


def test_going_back_is_noticed_by_a_process_at_once(path: Path) -> None:
    """Within the slack the date tells nothing; the process remembers."""
    found = Memory(path, origin=ORIGIN)
    advance(found, 0, 5)
    backup = path.read_bytes()
    advance(found, 5, 8)
    path.write_bytes(backup)
    with pytest.raises(errors.NotaryStateLost, match="went back from 8 entries to 5"):
        advance(found, 5, 6)


def test_an_undated_memory_is_believed_wherever_it_is(tmp_path: Path) -> None:
    """The notary in the site's process goes with the site's folder."""
    path = tmp_path / "notary.checkpoint"
    memory.create(path, origin=ORIGIN)
    advance(Memory(path, origin=ORIGIN), 0, 5)
    shutil.copy(path, tmp_path / "copy")
    assert memory.read(tmp_path / "copy").checkpoint == LOG.head(5)
    assert path.read_text() == LOG.head(5).text


def test_adopting_makes_it_believed_again(path: Path) -> None:
    advance(Memory(path, origin=ORIGIN), 0, 5)
    _age(path, 3600)
    found = memory.read_undated(path)
    memory.adopt(path, found.checkpoint)
    assert memory.read(path).checkpoint == LOG.head(5)


def test_what_was_forgotten_stays_forgotten(path: Path) -> None:
    found = Memory(path, origin=ORIGIN)
    found.forget("an old state was restored")
    with pytest.raises(errors.NotaryStateLost):
        found.last()
    memory.create_dated(path, origin=ORIGIN)
    with pytest.raises(errors.NotaryStateLost):
        memory.read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"example.com/log\n0\n",
        b"\xff",
        LOG.head(5).text.encode() + b"written 0\n",
        LOG.head(5).text.encode() + b"written 17900000000000000000",
        LOG.head(5).text.encode() + b"written 17900000000000000000\n\n",
    ],
)
def test_a_damaged_memory_is_a_lost_one(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(errors.NotaryStateLost, match="nothing is signed"):
        memory.read(path)


def test_the_memory_of_another_log_is_refused(path: Path) -> None:
    with pytest.raises(errors.NotaryRefused, match=r"the key of example\.com/other"):
        Memory(path, origin="example.com/other").last()
