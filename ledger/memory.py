"""Remember the last checkpoint signed for a log; let nothing be signed but extensions.

Notary and witness share this one state machine: check, remember, sign, in this order
and one at a time. The memory is on the disk before the signature leaves: after a crash
it may hold a checkpoint whose signature nobody received, never the reverse. So whoever
cuts a log back, forks it, or restores an old backup of it gets no second signature for
the same size. Which key signs what is left to the callers. No Django.

A memory is a file that holds the text of the checkpoint. A *dated* memory has one line
more, the time of writing in nanoseconds:

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    written 1790000000123456789

The file system notes when a file came to be where it is (ctime), and no tool that puts
files back can set that time. So a dated memory that was restored, copied or edited is
younger than it says, and is no longer believed. A restored image of a whole disk is
not told from the disk.
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ledger import durable, errors
from ledger.tlog import checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint

T = TypeVar("T")

# Between writing the content and renaming the file there is one fsync, which a busy
# disk may hold up. Whatever is restored sooner than this passes for the original.
SLACK_S = 600
_DATED = re.compile(r"(.*\n)written ([1-9][0-9]{0,19})\n", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a memory holds: the checkpoint and, when dated, when it was written."""

    checkpoint: Checkpoint
    written_ns: int | None


class Memory:
    """The memory of one log. Many threads and processes may share it."""

    def __init__(self, path: Path, *, origin: str) -> None:
        self._path = path
        self._origin = origin
        self._largest_seen = 0
        self._turn = threading.Lock()

    def recall(self) -> Remembered:
        """Return what is remembered; raise NotaryStateLost when that is not known."""
        # Read before the file, which another thread may be moving on.
        largest_seen = self._largest_seen
        found = read(self._path)
        if found.checkpoint.origin != self._origin:
            raise errors.NotaryRefused(
                f"the memory {self._path} is of {found.checkpoint.origin}, the key of "
                f"{self._origin}"
            )
        if found.checkpoint.size < largest_seen:
            raise errors.NotaryStateLost(
                f"the memory {self._path} went back from {largest_seen} entries to "
                f"{found.checkpoint.size}: an old copy was put back; nothing is signed"
            )
        return found

    def last(self) -> Checkpoint:
        """Return the last signed checkpoint; of size 0 before the first."""
        return self.recall().checkpoint

    def advance(
        self,
        new: Checkpoint,
        *,
        old_size: int,
        consistency: Sequence[bytes],
        sign: Callable[[], T],
    ) -> T:
        """Check that `new` extends the last checkpoint, remember it, return `sign()`.

        `consistency` leads from the last checkpoint, of `old_size` leaves, to the new
        one; empty when that is size 0 or the same size. Raises OldSizeStale,
        RootForked, HistoryRewritten, or NotaryRefused.
        """
        lock_file = self._path.with_name(f"{self._path.name}.lock")
        # What signs stands inside: a signature says "the largest tree I have seen".
        with self._turn, durable.locked(lock_file):
            found = self.recall()
            _check_extends(found.checkpoint, new, old_size, consistency)
            # First to the disk, then out: see the module's first paragraph.
            _write(self._path, new, dated=found.written_ns is not None)
            self._largest_seen = new.size
            return sign()

    def forget(self, reason: str) -> None:
        """Sign nothing for this log ever again: the memory is known to be wrong."""
        durable.replace(self._path, f"lost: {reason}\n".encode())


def create(path: Path, *, origin: str) -> None:
    """Remember that nothing was signed, unless there is a memory."""
    durable.write_once(path, _nothing(origin).text.encode())


def create_dated(path: Path, *, origin: str) -> None:
    """Remember, dated, that nothing was signed, unless there is a memory."""
    durable.write_once(path, _dated(_nothing(origin)))


def adopt(path: Path, remembered: Checkpoint) -> None:
    """Write a dated memory from one that a person answers for."""
    _write(path, remembered, dated=True)


def read(path: Path) -> Remembered:
    """Return what a memory holds; raise NotaryStateLost when it cannot be believed."""
    found = read_undated(path)
    if found.written_ns is not None:
        age_ns = path.stat().st_ctime_ns - found.written_ns
        if abs(age_ns) > SLACK_S * 10**9:
            raise errors.NotaryStateLost(
                f"the memory {path} was written at another time than it says: it was "
                "restored, copied or touched, and what was signed since is not known; "
                "nothing is signed"
            )
    return found


def read_undated(path: Path) -> Remembered:
    """Return what a memory holds, whenever it was put there."""
    try:
        text = path.read_text(encoding="utf-8")
        dated = _DATED.fullmatch(text)
        return Remembered(
            checkpoint=checkpoint.parse(dated[1] if dated else text),
            written_ns=int(dated[2]) if dated else None,
        )
    except (OSError, UnicodeDecodeError, errors.CheckpointInvalid) as error:
        raise errors.NotaryStateLost(
            f"the memory {path} cannot be read, so nothing is signed: {error}"
        ) from error


def _check_extends(
    old: Checkpoint, new: Checkpoint, old_size: int, consistency: Sequence[bytes]
) -> None:
    if old_size != old.size:
        raise errors.OldSizeStale(
            f"whoever is asked signed {old.size} entries last, not {old_size}",
            size=old.size,
        )
    if new.size < old.size:
        raise errors.HistoryRewritten(
            f"whoever signed {old.size} entries signs no smaller tree ({new.size}): "
            "the log was cut back or restored from an old backup"
        )
    if new.size == old.size and new.root != old.root:
        raise errors.RootForked(
            f"another root for the {old.size} entries signed before: history was "
            "rewritten",
            size=old.size,
        )
    if not old.size:
        if consistency:
            raise errors.HistoryRewritten("nothing leads from an empty tree to another")
        return
    try:
        proof.verify_consistency(
            old_size=old.size,
            old_root=old.root,
            new_size=new.size,
            new_root=new.root,
            proof=consistency,
        )
    except errors.ProofInvalid as error:
        raise errors.HistoryRewritten(
            f"the tree of {new.size} entries does not extend the signed tree of "
            f"{old.size}: history was rewritten ({error})"
        ) from error


def _nothing(origin: str) -> Checkpoint:
    return Checkpoint(origin=origin, size=0, root=hashing.EMPTY_ROOT)


def _write(path: Path, new: Checkpoint, *, dated: bool) -> None:
    durable.replace(path, _dated(new) if dated else new.text.encode())


def _dated(new: Checkpoint) -> bytes:
    return f"{new.text}written {time.time_ns()}\n".encode()
