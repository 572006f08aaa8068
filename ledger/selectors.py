"""Read the ledger: entries by event, heads, who cosigns them, opened bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings

from ledger import commitments, errors, keys, policies, vault
from ledger.models import Body, Checkpoint, Entry, Head, Pending, Witness
from ledger.tlog import canonical
from ledger.tlog import entry as tlog_entry
from ledger.tlog.canonical import JSON
from ledger.tlog.hashing import EMPTY_ROOT, Frontier
from ledger.tlog.policy import Policy
from ledger.tlog.policy import Witness as PolicyWitness

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessView:
    """A witness of the policy: what it cosigned last, and what it failed at since.

    `failure` is empty unless it did not cosign when it was asked last; `failed_at` is
    when it last did not. `name` stands in the policy alone, `key_text` is who it is.
    """

    name: str
    key_text: str
    url: str | None
    size: int
    cosigned_at: datetime | None
    failed_at: datetime | None
    failure: str


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
    return next(iter(checkpoints(1)), None)


def checkpoints(limit: int) -> list[CheckpointView]:
    """Return the last published heads, the newest first. One query."""
    rows = Checkpoint.objects.order_by("-size").defer("frontier")[:limit]
    return [_checkpoint_view(row) for row in rows]


def policy() -> Policy:
    """Return the policy that the last checkpoint was published by. Up to two queries.

    Before the first checkpoint, and for one older than policies on the ledger, the one
    that is in force.
    """
    row = Checkpoint.objects.order_by("-size").select_related("policy").first()
    version = row.policy if row and row.policy else policies.announced()
    return policies.current() if version is None else policies.parsed(version)


def witnesses() -> list[WitnessView]:
    """Return the witnesses of the policy and how far each has come. Three queries."""
    found = policy().witnesses
    rows = Witness.objects.in_bulk([each.key.text for each in found])
    return [_witness_view(each, rows.get(each.key.text)) for each in found]


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
    """Return the public key of the log as others configure it: name+id+base64.

    While one key follows another, the older one: both sign. No query but where the
    notary is elsewhere, who may be away.
    """
    if not keys.is_notary_elsewhere():
        return keys.log_key().verifier.text
    logs = [key for key in policy().logs if key.name == settings.LEDGER_ORIGIN]
    assert logs, "a policy in force names a key of this log"
    return logs[0].text


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


def _checkpoint_view(row: Checkpoint) -> CheckpointView:
    return CheckpointView(
        size=row.size,
        root=bytes(row.root),
        note=bytes(row.note).decode(),
        time=row.signed_at,
    )


def _witness_view(witness: PolicyWitness, row: Witness | None) -> WitnessView:
    return WitnessView(
        name=witness.name,
        key_text=witness.key.text,
        url=witness.url,
        size=row.size if row else 0,
        cosigned_at=row.cosigned_at if row else None,
        failed_at=row.failed_at if row else None,
        failure=row.failure if row else "",
    )


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
