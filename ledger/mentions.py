"""Find entries by the digests that they say in public.

The table is written with the pending entry. One indexed query then finds all entries
with the same digest, without reading the log. The table decides nothing by itself, and
`inspection` compares it with the entries. Rooms above know what a digest stands for.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from django.db.models import Exists, OuterRef

from ledger.models import Entry, Mention, Pending
from ledger.tlog.canonical import JSON

# The keys of a public part whose values others come back to.
_KEYS = ("manifest_sha256", "request_sha256")

# `beside` in the words of SQL, for a statement that is not Django's.
BESIDE_SQL: LiteralString = """EXISTS (
SELECT FROM ledger_mention own JOIN ledger_mention other USING (digest)
WHERE own.event IN ({events}) AND other.type IN ({types}))"""

# `said`, likewise.
SAID_SQL: LiteralString = """EXISTS (
SELECT FROM ledger_mention
WHERE event = {event} AND type = {type} AND digest = {digest})"""


def of(event: UUID, type_: str, pub: Mapping[str, JSON]) -> list[Mention]:
    """Return the rows that belong to an event, not written yet."""
    digests = {value for key in _KEYS if isinstance(value := pub.get(key), str)}
    return [
        Mention(event=event, type=type_, digest=digest) for digest in sorted(digests)
    ]


def note(event: UUID, type_: str, pub: Mapping[str, JSON]) -> None:
    """Write what an accepted event mentions, in the caller's transaction."""
    if rows := of(event, type_, pub):
        Mention.objects.bulk_create(rows)


def beside(events: Iterable[UUID | None], *, types: Collection[str]) -> Exists:
    """Return whether an entry of these types mentions what one of the events does.

    A condition for a query; pending entries count. Two look-ups in an index.
    """
    own = Mention.objects.filter(event__in=[one for one in events if one is not None])
    return Exists(
        Mention.objects.filter(digest__in=own.values("digest"), type__in=list(types))
    )


def said(event: UUID, *, type_: str, digest: str) -> Exists:
    """Return whether the event is of this type and mentions the digest, as a condition.

    One look-up in an index.
    """
    return Exists(Mention.objects.filter(event=event, type=type_, digest=digest))


def is_beside(events: Iterable[UUID | None], *, types: Collection[str]) -> bool:
    """Return what `beside` asks. One query."""
    own = Mention.objects.filter(event__in=[one for one in events if one is not None])
    return Mention.objects.filter(
        digest__in=own.values("digest"), type__in=list(types)
    ).exists()


def differing(
    said: Sequence[tuple[UUID, str, Mapping[str, JSON]]],
) -> Iterator[UUID]:
    """Yield which of the events (event, type, public part) the rows say wrongly.

    One query for up to 1,000.
    """
    rows: dict[UUID, set[tuple[str, str]]] = {}
    for row in Mention.objects.filter(event__in=[event for event, _, _ in said]):
        rows.setdefault(row.event, set()).add((row.type, row.digest))
    for event, type_, pub in said:
        expected = {(row.type, row.digest) for row in of(event, type_, pub)}
        if rows.get(event, set()) != expected:
            yield event


def of_nothing() -> list[UUID]:
    """Return the events of rows that belong to no entry, pending or not. One query."""
    entries = Exists(Entry.objects.filter(event=OuterRef("event")))
    waiting = Exists(Pending.objects.filter(event=OuterRef("event")))
    lost = Mention.objects.filter(~entries, ~waiting).values_list("event", flat=True)
    return list(lost.distinct())
