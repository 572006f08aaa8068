"""Examine signed heads against a replay: who signed, who cosigned, and over what.

Part of an inspection of the whole ledger. Which keys sign and which policy is in force
is what the log itself has said up to there, not what settings or tables say now.
"""

import hashlib
from typing import Protocol

from ledger import errors, policies
from ledger.models import Checkpoint, PolicyVersion
from ledger.tlog import checkpoint, note
from ledger.tlog.checkpoint import Checkpoint as SignedHead
from ledger.tlog.entry import Entry
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import VerifierKey
from ledger.verify import Replay


class Note(Protocol):
    """How a finding is noted."""

    def __call__(self, code: str, message: str, *, seq: int | None) -> None: ...


class HeadExaminer:
    """Follows the replay of a log, and examines the heads on its way."""

    def __init__(self, note: Note) -> None:
        self._note = note
        # Announced so far and not retired, by their ids.
        self._keys: dict[str, VerifierKey] = {}

    def learn(self, found: Entry) -> None:
        """Take in what an entry of the log says about keys."""
        if found.type not in ("log.genesis", "log.key"):
            return
        key_id = str(found.pub["key_id"])
        if found.pub.get("action") == "retired":
            self._keys.pop(key_id, None)
        elif "key" in found.pub:
            try:
                self._keys[key_id] = VerifierKey.from_text(str(found.pub["key"]))
            except errors.KeyFileInvalid as error:
                self._note("key", f"entry {found.seq}: {error}", seq=found.seq)

    def is_announced(self, key: VerifierKey) -> bool:
        """Tell whether the log lets this key sign now."""
        return self._keys.get(key.key_id.hex()) == key

    def opened(self, data: bytes, replay: Replay) -> SignedHead:
        """Return the head of a note that a key announced by now has signed.

        Raises NoteInvalid or CheckpointInvalid.
        """
        parsed = note.parse(data)
        note.verify(parsed, list(self._keys.values()))
        found = checkpoint.parse(parsed.text)
        if found.origin != replay.origin:
            raise errors.CheckpointInvalid(
                f"it is of {found.origin}, this log is {replay.origin}"
            )
        return found

    def examine(self, row: Checkpoint, replay: Replay) -> None:
        """Examine a stored checkpoint when the replay has come to its size."""
        try:
            found = self.opened(bytes(row.note), replay)
        except errors.VerificationError as error:
            self._note("checkpoint", f"checkpoint {row.size}: {error}", seq=row.size)
            return
        if (found.size, found.root) != (row.size, bytes(row.root)):
            self._note(
                "checkpoint",
                f"checkpoint {row.size}: its columns say something else than its note",
                seq=row.size,
            )
        if not _is_root_of(bytes(row.frontier), row.size, found.root):
            self._note(
                "checkpoint",
                f"checkpoint {row.size}: its frontier does not give its root",
                seq=row.size,
            )
        if found.size == row.size:
            self.check_root(found, replay, "checkpoint")
        self.check_policy(bytes(row.note), row.policy, replay)

    def check_root(self, found: SignedHead, replay: Replay, code: str) -> None:
        """Note it unless the log up to here is what was signed."""
        try:
            replay.check_root(found)
        except errors.RootMismatch as error:
            self._note(code, str(error), seq=error.seq)

    def check_policy(
        self, data: bytes, version: PolicyVersion | None, replay: Replay
    ) -> None:
        """Note it unless the note meets the policy that the log announced last."""
        size = replay.size
        if version is None and replay.policy_sha256 is None:
            return  # Older than policies on the ledger.
        if (
            version is None
            or version.sha256 != replay.policy_sha256
            or hashlib.sha256(bytes(version.text)).hexdigest() != version.sha256
        ):
            self._note(
                "policy",
                f"checkpoint {size}: it was not published by the policy that the log "
                "announced last before it",
                seq=size,
            )
            return
        try:
            policies.parsed(version).check(data)
        except errors.QuorumNotMet as error:
            self._note("quorum", f"checkpoint {size}: {error}", seq=size)
        except (errors.VerificationError, errors.PolicyInvalid) as error:
            self._note("checkpoint", f"checkpoint {size}: {error}", seq=size)


def _is_root_of(frontier: bytes, size: int, root: bytes) -> bool:
    try:
        return Frontier.from_bytes(size, frontier).root() == root
    except ValueError:
        return False
