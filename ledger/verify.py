"""Replay a whole log from its bytes and the signed checkpoint alone. No Django.

What this convicts, whoever owns the tables: an entry rewritten, inserted, removed,
moved or back-dated (the chain or the tree breaks), a log rewritten from some point on
(its root is no longer the signed one), a tail cut off (the checkpoint counts it).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger import errors
from ledger.tlog import checkpoint, entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.hashing import Frontier, LeafHash
from ledger.tlog.note import VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A log that holds together, and how much of it the checkpoint covers."""

    size: int
    root: bytes
    first_time: datetime | None
    last_time: datetime | None
    checkpoint: Checkpoint


class Replay:
    """A log as far as it has been fed, each entry checked against those before it."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.last_leaf: LeafHash = entry.NO_PREVIOUS
        self.first_time: datetime | None = None
        self.last_time: datetime | None = None
        # Which key ids the log itself announces for its checkpoints.
        self.key_ids: set[str] = set()
        self.origin = ""

    @property
    def size(self) -> int:
        """Return how many entries were fed."""
        return self.frontier.size

    def feed(self, data: bytes) -> Entry:
        """Return the next entry, or raise the ReplayError that says what is wrong.

        After an error the replay has not moved.
        """
        seq = self.size
        try:
            found = entry.parse(data)
        except errors.EntryInvalid as error:
            raise errors.EntryMalformed(f"entry {seq}: {error}", seq=seq) from error
        self._check_follows(found)
        self._learn_keys(found)
        self.last_leaf = hashing.leaf_hash(data)
        self.frontier.append(self.last_leaf)
        self.first_time = self.first_time or found.time
        self.last_time = found.time
        return found

    def _check_follows(self, found: Entry) -> None:
        seq = self.size
        if found.seq != seq:
            raise errors.SequenceBroken(
                f"entry {seq} was expected, entry {found.seq} came", seq=seq
            )
        if found.prev != self.last_leaf:
            raise errors.LinkBroken(
                f"entry {seq} does not follow entry {seq - 1}: one of them was changed"
                if seq
                else "entry 0 names an entry before it",
                seq=seq,
            )
        if self.last_time is not None and found.time < self.last_time:
            raise errors.TimeWentBack(
                f"entry {seq} is dated {found.time.isoformat()}, the one before it "
                f"{self.last_time.isoformat()}",
                seq=seq,
            )
        if (found.type == "log.genesis") != (seq == 0):
            raise errors.SequenceBroken(
                f"entry {seq} is a {found.type}: log.genesis stands first, and only "
                "there",
                seq=seq,
            )

    def _learn_keys(self, found: Entry) -> None:
        if found.type == "log.genesis":
            self.origin = str(found.pub["origin"])
            self.key_ids.add(str(found.pub["key_id"]))
        if found.type == "log.key" and found.pub["action"] == "added":
            self.key_ids.add(str(found.pub["key_id"]))

    def check_root(self, expected: Checkpoint) -> None:
        """Raise RootMismatch unless the log up to here is what was signed."""
        if expected.size != self.size or expected.root != self.frontier.root():
            raise errors.RootMismatch(
                f"the first {expected.size} entries do not give the signed root: "
                "the log was rewritten after it was signed",
                seq=expected.size,
            )


def replay(entries: Iterable[bytes], *, note: bytes, key: VerifierKey) -> Replayed:
    """Check every entry, every link and the root against a checkpoint signed by `key`.

    Entries beyond the checkpoint are checked as a chain. Raises NoteInvalid,
    CheckpointInvalid, or the ReplayError of the first entry that does not hold.
    """
    signed = checkpoint.open_note(note, key)
    state = Replay()
    for data in entries:
        state.feed(data)
        if state.size == signed.size:
            state.check_root(signed)
    if state.size < signed.size:
        raise errors.TailMissing(
            f"the checkpoint covers {signed.size} entries, only {state.size} are there",
            seq=state.size,
        )
    if state.size and (
        state.origin != key.name or key.key_id.hex() not in state.key_ids
    ):
        raise errors.ReplayError(
            f"the log is {state.origin} and does not announce the key "
            f"{key.name}+{key.key_id.hex()}",
            seq=0,
        )
    return Replayed(
        size=state.size,
        root=state.frontier.root(),
        first_time=state.first_time,
        last_time=state.last_time,
        checkpoint=signed,
    )
