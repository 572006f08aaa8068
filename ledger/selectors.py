"""Read the ledger: entries by event, the head, the last checkpoint, opened bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ledger import commitments, errors, keys, vault
from ledger.models import Body, Checkpoint, Entry, Head, Pending
from ledger.tlog import canonical
from ledger.tlog import entry as tlog_entry
from ledger.tlog.canonical import JSON
from ledger.tlog.hashing import EMPTY_ROOT, Frontier

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An event on the ledger, and how far it has come.

    `seq`, `time` and `leaf_hash` are None while it is pending. Published: covered by
    a signed checkpoint.
    """

    event: UUID
    type: str
    state: Literal["pending", "sequenced", "published"]
    seq: int | None
    time: datetime | None
    leaf_hash: bytes | None
    pub: Mapping[str, JSON]
    commit: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """How many entries there are, and the root of their tree."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointView:
    """A signed head: `note` is the exact text that others verify."""

    size: int
    root: bytes
    note: str
    time: datetime


def entry(event: UUID) -> EntryView:
    """Return the entry of an event; raise EntryNotFound. Up to three queries."""
    try:
        return entries_by_event([event])[event]
    except KeyError:
        raise errors.EntryNotFound(f"no entry has the event {event}") from None


def entries_by_event(events: Iterable[UUID]) -> dict[UUID, EntryView]:
    """Return the entries of those events that there are.

    One query for the checkpoint, and for each 500 events one or two more.
    """
    wanted = list(dict.fromkeys(events))
    published = _published_size()
    found: dict[UUID, EntryView] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        # Pending first: between the two queries a row can move on, never back.
        for pending in Pending.objects.filter(event__in=some):
            found[pending.event] = _pending_view(pending)
        for row in Entry.objects.filter(event__in=some):
            found[row.event] = _entry_view(row, published)
    return found


def tree_size() -> int:
    """Return how many entries the log has. One query."""
    return head().size


def head() -> TreeHead:
    """Return size and root of the log, signed or not. One query."""
    row = Head.objects.first()
    if row is None:
        return TreeHead(size=0, root=EMPTY_ROOT)
    frontier = Frontier.from_bytes(row.size, bytes(row.frontier))
    return TreeHead(size=row.size, root=frontier.root())


def latest_checkpoint() -> CheckpointView | None:
    """Return the last signed head, if there is one. One query."""
    row = Checkpoint.objects.order_by("-size").first()
    if row is None:
        return None
    return CheckpointView(
        size=row.size,
        root=bytes(row.root),
        note=bytes(row.note).decode(),
        time=row.signed_at,
    )


def is_published(event: UUID) -> bool:
    """Tell whether a signed checkpoint covers the event: the release gate. Two queries.

    An event the ledger does not know is not published.
    """
    seq = Entry.objects.filter(event=event).values_list("seq", flat=True).first()
    return seq is not None and seq < _published_size()


def pending_count() -> int:
    """Return how many accepted events have no place in the log yet. One query."""
    return Pending.objects.count()


def verifier_key() -> str:
    """Return the public key of the log as others configure it: name+id+base64."""
    return keys.log_key().verifier.text


def open_body(event: UUID) -> dict[str, Any] | None:
    """Return what the event's entry commits to, or None when it was erased.

    Raises EntryNotFound, VaultSealBroken, OpeningInvalid.
    """
    body = Body.objects.filter(event=event).first()
    if body is None:
        raise errors.EntryNotFound(f"no entry has the event {event}")
    if body.key_id is None or body.sealed is None or body.commit is None:
        return None
    key = vault.open_keys([body.key_id]).get(body.key_id)
    if key is None:
        return None
    data = commitments.open_body(key, event, bytes(body.sealed))
    commitments.check_opening(
        entry(event).commit, commitments.commitment_key(key, event), data
    )
    opened: dict[str, Any] = canonical.read(data)
    return opened


def _published_size() -> int:
    size = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    return size or 0


def _pending_view(row: Pending) -> EntryView:
    return EntryView(
        event=row.event,
        type=row.type,
        state="pending",
        seq=None,
        time=None,
        leaf_hash=None,
        pub=row.pub,
        commit=bytes(row.commit),
    )


def _entry_view(row: Entry, published: int) -> EntryView:
    parsed = tlog_entry.parse(bytes(row.data))
    return EntryView(
        event=row.event,
        type=parsed.type,
        state="published" if row.seq < published else "sequenced",
        seq=row.seq,
        time=parsed.time,
        leaf_hash=bytes(row.leaf_hash),
        pub=parsed.pub,
        commit=parsed.commit,
    )
