"""Read the log through: what each event of some kinds said, in public and in its body.

For the rooms above, which hold their rows against it. Whether the log itself holds is
the business of `inspection`: a body that does not open is found there, and is passed
over here like one that was erased.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from ledger import bodies, commitments, copies, errors, vault
from ledger.models import Body, Entry, Head, Pending
from ledger.tlog import canonical
from ledger.tlog import entry as tlog_entry
from ledger.tlog.canonical import JSON

_AT_ONCE = 500
_MANY = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An event and what it said; `seq` is None while it is pending.

    `body` is None when it was erased or does not open. `subject` is whose event it is.
    """

    event: UUID
    type: str
    pub: Mapping[str, JSON]
    seq: int | None
    commit: bytes
    subject: UUID | None = None
    body: Mapping[str, Any] | None = None

    @property
    def where(self) -> str:
        """Return how a message names it."""
        return f"event {self.event}" if self.seq is None else f"entry {self.seq}"


def walk(*prefixes: str) -> Iterator[list[Opened]]:
    """Yield the events whose types begin so, in the order of the log, pending last.

    Lists of at most 500; four queries for each 500 entries of the log. Beside writers,
    what was accepted after the first list was asked for may be left out.
    """
    # Pending first: between the two queries a row can move on, never back.
    waiting = {
        row.event: _waiting(row)
        for row in Pending.objects.order_by("id")
        if row.type.startswith(prefixes)
    }
    head = Head.objects.first()
    for start in range(0, head.size if head else 0, _AT_ONCE):
        found = list(_entries(start, prefixes))
        for each in found:
            waiting.pop(each.event, None)
        yield _opened(found)
    rest = list(waiting.values())
    for start in range(0, len(rest), _AT_ONCE):
        yield _opened(rest[start : start + _AT_ONCE])


def by_event(events: Iterable[UUID]) -> dict[UUID, Opened]:
    """Return those of the events that the ledger has, pending or not, opened.

    Five queries for each 500, two of them of the vault.
    """
    wanted = list(dict.fromkeys(events))
    entries: dict[UUID, Opened] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some: dict[UUID, Opened] = {}
        chunk = wanted[start : start + _AT_ONCE]
        # Pending first: between the two queries a row can move on, never back.
        for waiting in Pending.objects.filter(event__in=chunk):
            some[waiting.event] = _waiting(waiting)
        for row in Entry.objects.filter(event__in=chunk):
            if (entry := _sequenced(row)) is not None:
                some[row.event] = entry
        entries.update((each.event, each) for each in _opened(list(some.values())))
    return entries


def followed(events: Iterable[UUID]) -> set[UUID]:
    """Return the events that a later event of the same subject has followed.

    One query for each 5,000.
    """
    wanted = list(dict.fromkeys(events))
    followed_events: set[UUID] = set()
    for start in range(0, len(wanted), _MANY):
        rows = Body.objects.filter(
            _is_followed(), event__in=wanted[start : start + _MANY]
        )
        followed_events.update(rows.values_list("event", flat=True))
    return followed_events


def last_types(subjects: Iterable[UUID]) -> dict[UUID, str]:
    """Return the type of the last event of each subject that has one.

    Three queries for each 500. No body is opened.
    """
    wanted = list(dict.fromkeys(subjects))
    types_by_subject: dict[UUID, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        last = Body.objects.filter(
            ~_is_followed(), key_id__in=chunk, subject_seq__isnull=False
        )
        subject_of = dict(last.values_list("event", "key_id"))
        types = dict(
            Pending.objects.filter(event__in=subject_of).values_list("event", "type")
        )
        for row in Entry.objects.filter(event__in=subject_of):
            if (entry := _sequenced(row)) is not None:
                types[row.event] = entry.type
        for event, type_ in types.items():
            if (subject := subject_of[event]) is not None:
                types_by_subject[subject] = type_
    return types_by_subject


def walk_log(*prefixes: str) -> Iterator[Opened]:
    """Yield what `walk` does, without pending events."""
    for some in walk(*prefixes):
        yield from (entry for entry in some if entry.seq is not None)


def _is_followed() -> Exists:
    """Return whether the subject of a body has a later event; a part of a query."""
    return Exists(
        Body.objects.filter(
            key_id=OuterRef("key_id"), subject_seq__gt=OuterRef("subject_seq")
        )
    )


def was_erased(seq: int) -> bool:
    """Tell whether the body of an entry was erased, by the files of sealed bodies.

    A body that is missing and not known to be erased was lost.
    """
    body = bodies.find(copies.everywhere(), start=seq, end=seq + 1).get(seq)
    return body is not None and body.sealed is None


def unknown(events: Iterable[UUID | None], *prefixes: str) -> set[UUID]:
    """Return the events of which there is no entry, pending or not, of such a type.

    Two queries for each 500.
    """
    wanted = list(dict.fromkeys(event for event in events if event is not None))
    found: set[UUID] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        # Pending first: between the two queries a row can move on, never back.
        for event, type_ in Pending.objects.filter(event__in=some).values_list(
            "event", "type"
        ):
            if type_.startswith(prefixes):
                found.add(event)
        for event, data in Entry.objects.filter(event__in=some).values_list(
            "event", "data"
        ):
            if _is_of(bytes(data), prefixes):
                found.add(event)
    return set(wanted) - found


def _is_of(data: bytes, prefixes: tuple[str, ...]) -> bool:
    """Tell whether an entry is of such a type, without parsing it.

    An entry is canonical JSON, in which a quotation mark within a string is escaped:
    these bytes are the key and nothing else.
    """
    return any(f'"type":"{prefix}'.encode() in data for prefix in prefixes)


def _entries(start: int, prefixes: tuple[str, ...]) -> Iterator[Opened]:
    rows = Entry.objects.filter(seq__gte=start, seq__lt=start + _AT_ONCE)
    for row in rows.order_by("seq"):
        if not _is_of(bytes(row.data), prefixes):
            continue
        if (entry := _sequenced(row)) is not None:
            yield entry


def _waiting(row: Pending) -> Opened:
    return Opened(
        event=row.event,
        type=row.type,
        pub=row.pub,
        seq=None,
        commit=bytes(row.commit),
    )


def _sequenced(row: Entry) -> Opened | None:
    """Return what an entry says in public; None where its bytes are none."""
    try:
        parsed = tlog_entry.parse(bytes(row.data))
    except errors.EntryInvalid:
        return None
    return Opened(
        event=row.event,
        type=parsed.type,
        pub=parsed.pub,
        seq=row.seq,
        commit=parsed.commit,
    )


def _opened(events: Sequence[Opened]) -> list[Opened]:
    rows = Body.objects.in_bulk([each.event for each in events])
    keys = _keys([body.key_id for body in rows.values() if body.key_id is not None])
    return [_open(each, rows.get(each.event), keys) for each in events]


def _keys(key_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the keys that open; one that does not leaves the others in peace."""
    try:
        return vault.open_keys(key_ids)
    except errors.VaultSealBroken:
        found: dict[UUID, bytes] = {}
        for key_id in key_ids:
            try:
                found.update(vault.open_keys([key_id]))
            except errors.VaultSealBroken:
                continue  # `inspection` finds its events without a key.
        return found


def _open(each: Opened, body: Body | None, keys: Mapping[UUID, bytes]) -> Opened:
    if body is None or body.key_id is None or body.sealed is None:
        return each
    key = keys.get(body.key_id)
    if key is None:
        return each
    try:
        data = commitments.open_body(key, each.event, bytes(body.sealed))
        commitments.check_opening(
            each.commit, commitments.commitment_key(key, each.event), data
        )
    except (errors.VaultSealBroken, errors.OpeningInvalid):
        return each
    read = canonical.read(data)
    # The column is for look-ups; the place that the entry commits to counts.
    is_in_place = read.get("subject_seq") == body.subject_seq is not None
    return replace(each, subject=body.key_id if is_in_place else None, body=read)
