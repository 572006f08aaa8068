"""Replay a whole log from its bytes and the signed checkpoint alone. No Django.

What this convicts, whoever owns the tables: an entry rewritten, inserted, removed,
moved or back-dated (the chain or the tree breaks), a log rewritten from some point on
(its root is no longer the signed one), a tail cut off (the checkpoint counts it).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger import errors
from ledger.tlog import canonical, checkpoint, entry, hashing
from ledger.tlog.canonical import JSON
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
        # Which keys the log itself announces for its checkpoints, by their ids, and
        # the SHA-256 (hex) of the policy that it announced last.
        self.key_ids: set[str] = set()
        self.policy_sha256: str | None = None
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
        if found.type.startswith("log."):
            self._learn(found)
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

    def _learn(self, found: Entry) -> None:
        if found.type == "log.genesis":
            self.origin = str(found.pub["origin"])
            self.key_ids.add(str(found.pub["key_id"]))
            if "policy_sha256" in found.pub:
                self.policy_sha256 = str(found.pub["policy_sha256"])
        if found.type == "log.key" and found.pub["action"] == "added":
            self.key_ids.add(str(found.pub["key_id"]))
        if found.type == "log.key" and found.pub["action"] == "retired":
            self.key_ids.discard(str(found.pub["key_id"]))
        if found.type == "log.policy":
            self.policy_sha256 = str(found.pub["policy_sha256"])

    def check_root(self, expected: Checkpoint) -> None:
        """Raise RootMismatch unless the log up to here is what was signed."""
        if expected.size != self.size or expected.root != self.frontier.root():
            raise errors.RootMismatch(
                f"the first {expected.size} entries do not give the signed root: "
                "the log was rewritten after it was signed",
                seq=expected.size,
            )

    def check_announced(self, keys: Collection[VerifierKey]) -> None:
        """Raise KeyUnannounced unless the log up to here announces one of the keys.

        A log of no entries announces nothing yet.
        """
        if self.size and not any(
            key.name == self.origin and key.key_id.hex() in self.key_ids for key in keys
        ):
            names = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys)
            raise errors.KeyUnannounced(
                f"the log is {self.origin} and does not announce the key {names}, or "
                "has retired it",
                seq=self.size - 1,
            )

    def to_json(self) -> dict[str, JSON]:
        """Return how far the replay has come, to be gone on with by `from_json`."""
        return {
            "size": self.size,
            "frontier": canonical.encode_base64(self.frontier.to_bytes()),
            "last_leaf": canonical.encode_base64(self.last_leaf),
            "first_time": _text_of(self.first_time),
            "last_time": _text_of(self.last_time),
            "key_ids": sorted(self.key_ids),
            "policy_sha256": self.policy_sha256,
            "origin": self.origin,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Replay":
        """Return the replay that `to_json` wrote down; raise ValueError if it is none.

        It is believed: keep it where the entries themselves are kept.
        """
        found = cls()
        try:
            found.frontier = Frontier.from_bytes(
                value["size"], canonical.decode_base64(value["frontier"])
            )
            found.last_leaf = LeafHash(canonical.decode_base64(value["last_leaf"]))
            found.first_time = _time_of(value["first_time"])
            found.last_time = _time_of(value["last_time"])
            found.key_ids = set(value["key_ids"])
            found.policy_sha256 = value["policy_sha256"]
            found.origin = value["origin"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the state of a replay: {error}") from error
        return found


def replay(entries: Iterable[bytes], *, note: bytes, key: VerifierKey) -> Replayed:
    """Check every entry, every link and the root against a checkpoint signed by `key`.

    Entries beyond the checkpoint are checked as a chain. Raises NoteInvalid,
    CheckpointInvalid, or the ReplayError of the first entry that does not hold.
    """
    signed = checkpoint.open_note(note, key)
    state = Replay()
    _check_signed(state, signed, key)
    for data in entries:
        state.feed(data)
        _check_signed(state, signed, key)
    if state.size < signed.size:
        raise errors.TailMissing(
            f"the checkpoint covers {signed.size} entries, only {state.size} are there",
            seq=state.size,
        )
    return Replayed(
        size=state.size,
        root=state.frontier.root(),
        first_time=state.first_time,
        last_time=state.last_time,
        checkpoint=signed,
    )


def _check_signed(state: Replay, signed: Checkpoint, key: VerifierKey) -> None:
    if state.size == signed.size:
        state.check_root(signed)
        state.check_announced([key])


def _text_of(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
