"""Examine whether bodies open to what entries commit to, and whether none is missing.

Part of an inspection of the whole ledger; a body that was erased is counted, not found
fault with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from ledger import commitments, errors, vault
from ledger.models import Body
from ledger.tlog import canonical


class Note(Protocol):
    """How a finding is noted."""

    def __call__(
        self, code: str, message: str, *, seq: int | None, event: UUID | None
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """An event and its commitment, from an entry (with `seq`) or a pending row."""

    event: UUID
    commit: bytes
    seq: int | None = None


class BodyExaminer:
    """Opens the bodies of events, given in the order of the log."""

    def __init__(self, note: Note) -> None:
        self.erased = 0
        self._note = note
        # Subject -> number and commitment of its last event so far.
        self._last: dict[UUID, tuple[int, bytes]] = {}

    def examine(self, events: Sequence[Committed]) -> None:
        """Examine the bodies of these events. Three queries for up to 500."""
        for start in range(0, len(events), 500):
            self._examine(events[start : start + 500])

    def _examine(self, events: Sequence[Committed]) -> None:
        bodies = Body.objects.in_bulk([each.event for each in events])
        key_ids = [body.key_id for body in bodies.values() if body.key_id is not None]
        opened = self._open_keys(key_ids)
        gone = vault.destroyed(key_ids)
        for each in events:
            body = bodies.get(each.event)
            if body is None:
                self._find(each, "body", "its body was deleted")
            elif body.key_id is None or body.key_id in gone:
                self.erased += 1
            elif body.key_id not in opened:
                self._find(each, "vault", "the vault has lost the key of its body")
            else:
                self._check(each, body, opened[body.key_id])

    def _open_keys(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys that open; one that does not is found at its events."""
        try:
            return vault.open_keys(key_ids)
        except errors.VaultSealBroken:
            found: dict[UUID, bytes] = {}
            for key_id in key_ids:
                try:
                    found.update(vault.open_keys([key_id]))
                except errors.VaultSealBroken:
                    continue  # Its events are found to have no key.
            return found

    def _check(self, each: Committed, body: Body, key: bytes) -> None:
        assert body.sealed is not None, "a body with a key id is whole"
        try:
            data = commitments.open_body(key, each.event, bytes(body.sealed))
            commitments.check_opening(
                each.commit, commitments.commitment_key(key, each.event), data
            )
        except (errors.VaultSealBroken, errors.OpeningInvalid) as error:
            self._find(each, "body", str(error))
            return
        if body.commit is None or bytes(body.commit) != each.commit:
            self._find(each, "body", "the commitment beside its body is another one")
        self._check_place(each, body, canonical.read(data))

    def _check_place(self, each: Committed, body: Body, opened: Any) -> None:
        """Check that the subject's events are counted without a hole."""
        if body.subject_seq is None:
            if "subject_seq" in opened:
                self._find(each, "subject", "its body was taken off its subject")
            return
        assert body.key_id is not None, "a body with a place is whole"
        number, commit = self._last.get(body.key_id, (0, None))
        previous = None if commit is None else canonical.encode_base64(commit)
        if (
            opened.get("subject_seq") != number + 1
            or body.subject_seq != number + 1
            or opened.get("subject_prev") != previous
        ):
            self._find(
                each,
                "subject",
                f"event {number + 1} of its subject was expected here, event "
                f"{opened.get('subject_seq')} came",
            )
        self._last[body.key_id] = (body.subject_seq, each.commit)

    def _find(self, each: Committed, code: str, what: str) -> None:
        where = f"event {each.event}" if each.seq is None else f"entry {each.seq}"
        self._note(code, f"{where}: {what}", seq=each.seq, event=each.event)
