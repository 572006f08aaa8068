"""Read the newest part of the ledger, and how far behind its publication is.

For pages that show the ledger itself. None of it says what an entry records.
"""

from dataclasses import dataclass
from datetime import datetime

from ledger.models import Checkpoint, Entry, Head, Pending
from ledger.tlog import entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A place of the log and the hash that stands there."""

    seq: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What was accepted and is not under a published checkpoint yet."""

    # Accepted, without a place in the log.
    pending: int
    pending_since: datetime | None
    # With a place, above the last checkpoint.
    unpublished: int
    unpublished_since: datetime | None


def last_leaves(*, size: int, count: int) -> list[Leaf]:
    """Return up to `count` leaves below `size`, in the order of the log. One query."""
    rows = Entry.objects.filter(seq__gte=max(size - count, 0), seq__lt=size)
    return [
        Leaf(seq=seq, leaf_hash=bytes(leaf))
        for seq, leaf in rows.order_by("seq").values_list("seq", "leaf_hash")
    ]


def backlog() -> Backlog:
    """Return what waits, and since when. Up to five queries."""
    oldest = Pending.objects.order_by("id").values_list("accepted_at", flat=True)
    size = Head.objects.values_list("size", flat=True).first() or 0
    published = (
        Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    )
    data = Entry.objects.filter(seq=published).values_list("data", flat=True).first()
    return Backlog(
        pending=Pending.objects.count(),
        pending_since=oldest.first(),
        unpublished=max(size - published, 0),
        unpublished_since=None if data is None else entry.parse(bytes(data)).time,
    )
