"""What an attacker who owns the tables writes, and what an inspection then finds."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ledger import inspection, models
from ledger.tlog import checkpoint, entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier, LeafHash
from ledger.tlog.note import SignerKey


def found() -> list[tuple[str, int | None]]:
    return [(each.code, each.seq) for each in inspection.inspect().findings]


def rows() -> Iterator[models.Entry]:
    yield from models.Entry.objects.order_by("seq")


def rewrite(seq: int, **values: Any) -> None:
    """Write an entry anew and recompute everything behind it, as an owner can."""
    frontier, leaf = Frontier(), entry.NO_PREVIOUS
    last = None
    for row in list(rows()):
        parsed = entry.parse(bytes(row.data))
        whole = {
            "time": parsed.time,
            "type": parsed.type,
            "pub": parsed.pub,
            "commit": parsed.commit,
            **(values if row.seq == seq else {}),
        }
        last = entry.Entry(seq=frontier.size, prev=leaf, **whole)
        row.data = entry.encode(last)
        row.leaf_hash = leaf = hashing.leaf_hash(row.data)
        frontier.append(leaf)
        row.save()
    assert last is not None
    set_head(frontier, leaf, last.time)


def set_head(frontier: Frontier, leaf: LeafHash, time: datetime) -> None:
    models.Head.objects.update(
        size=frontier.size,
        frontier=frontier.to_bytes(),
        last_leaf=leaf,
        last_time=time,
    )


def cut_back(size: int) -> None:
    """Delete the tail and make head and checkpoints what they were before it."""
    models.Entry.objects.filter(seq__gte=size).delete()
    models.Checkpoint.objects.filter(size__gt=size).delete()
    frontier, last = Frontier(), None
    for row in rows():
        frontier.append(LeafHash(bytes(row.leaf_hash)))
        last = row
    assert last is not None
    set_head(
        frontier,
        LeafHash(bytes(last.leaf_hash)),
        entry.parse(bytes(last.data)).time,
    )


def resign_all(key: SignerKey) -> None:
    """Make every checkpoint anew over the rows as they are now."""
    frontier = Frontier()
    for row in rows():
        frontier.append(LeafHash(bytes(row.leaf_hash)))
        head = Checkpoint(origin=key.name, size=frontier.size, root=frontier.root())
        models.Checkpoint.objects.filter(size=frontier.size).update(
            root=head.root,
            note=checkpoint.sign(head, key),
            frontier=frontier.to_bytes(),
        )
