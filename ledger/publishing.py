"""Turn the head of the log into a signed checkpoint.

One lock among all processes spans reading the notary's memory to storing the
checkpoint, and a second one in the database does so among machines. A crash between
the two leaves a notary that remembers more than is stored: the next call signs from
there, and nothing is lost.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from ledger import durable, errors, keys, locks, models
from ledger.tlog import hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier, LeafHash


def publish(*, now: datetime) -> Checkpoint | None:
    """Return a signed, stored checkpoint of all entries; None while there is none.

    Raises NotaryRefused when the log does not extend what was signed before.
    """
    if (current := _current()) is not None:
        return current
    lock_file = Path(settings.DATA_DIR) / "ledger" / "publish.lock"
    with durable.locked(lock_file), transaction.atomic(durable=True):
        locks.lock_publishing()
        # Whoever held the lock before may have covered our entries as well.
        if (current := _current()) is not None:
            return current
        head = models.Head.objects.first()
        return None if head is None else _sign(head, now)


def _current() -> Checkpoint | None:
    """Return the last checkpoint if it covers all entries."""
    size = models.Head.objects.values_list("size", flat=True).first()
    row = models.Checkpoint.objects.order_by("-size").only("size", "root").first()
    if row is None or size is None or row.size < size:
        return None
    return Checkpoint(
        origin=settings.LEDGER_ORIGIN, size=row.size, root=bytes(row.root)
    )


def _sign(head: models.Head, now: datetime) -> Checkpoint:
    notary = keys.open_notary()
    signed = notary.last_signed()
    stored = models.Checkpoint.objects.order_by("-size").first()
    if stored is not None and stored.size > signed.size:
        raise errors.NotaryStateLost(
            f"a checkpoint of {stored.size} entries is stored, the notary remembers "
            f"only {signed.size}: an old copy of its memory was put back"
        )
    old = _frontier_at(min(signed.size, head.size))
    grown, leaves = old.copy(), list(_leaves(old.size, head.size))
    for leaf in leaves:
        grown.append(leaf)
    root = Frontier.from_bytes(head.size, bytes(head.frontier)).root()
    if grown.root() != root:
        raise errors.RootMismatch(
            f"the entries before {head.size} do not give the root of the head: rows "
            "were changed after they were sequenced",
            seq=head.size,
        )
    new = Checkpoint(origin=settings.LEDGER_ORIGIN, size=head.size, root=root)
    note = notary.sign(
        new,
        old_size=signed.size,
        consistency=(
            proof.consistency_proof(old.size, new.size, proof.subtrees_of(old, leaves))
            if old.size
            else []
        ),
    )
    models.Checkpoint.objects.create(
        size=new.size,
        root=new.root,
        note=note,
        frontier=grown.to_bytes(),
        signed_at=now,
    )
    return new


def _frontier_at(size: int) -> Frontier:
    """Return the right edge of the tree of the first `size` entries."""
    base = models.Checkpoint.objects.filter(size__lte=size).order_by("-size").first()
    frontier = (
        Frontier()
        if base is None
        else Frontier.from_bytes(base.size, bytes(base.frontier))
    )
    for leaf in _leaves(frontier.size, size):
        frontier.append(leaf)
    return frontier


def _leaves(start: int, end: int) -> Iterator[LeafHash]:
    """Yield the leaf hashes of entries start..end-1, from their bytes."""
    rows = models.Entry.objects.filter(seq__gte=start, seq__lt=end).order_by("seq")
    expected = start
    # From the bytes, not the column: a row rewritten since then must show.
    for seq, data in rows.values_list("seq", "data").iterator(chunk_size=2000):
        if seq != expected:
            break
        yield hashing.leaf_hash(bytes(data))
        expected += 1
    if expected != end:
        raise errors.SequenceBroken(
            f"entry {expected} is missing from the table, the head counts {end}",
            seq=expected,
        )
