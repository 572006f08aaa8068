"""Make tiles from the rows of the log: they are derived, and can be lost and made anew.

From the bytes of the entries, never from the column beside them: a row rewritten since
must show. Nothing is written before the rows are known to give the root they should.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import islice

from ledger import errors
from ledger.models import Checkpoint as CheckpointRow
from ledger.models import Entry
from ledger.tiles import TileStore
from ledger.tiling import Tiling
from ledger.tlog import hashing, tile
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import HASH_BYTES, Frontier, LeafHash
from ledger.tlog.tile import ENTRIES, WIDTH, Tile

logger = logging.getLogger(__name__)


def entries(start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of entries start..end-1; raise SequenceBroken at a gap."""
    rows = Entry.objects.filter(seq__gte=start, seq__lt=end).order_by("seq")
    expected = start
    for seq, data in rows.values_list("seq", "data").iterator(chunk_size=2000):
        if seq != expected:
            break
        yield bytes(data)
        expected += 1
    if expected != end:
        raise errors.SequenceBroken(
            f"entry {expected} is missing from the table", seq=expected
        )


def leaves(start: int, end: int) -> Iterator[LeafHash]:
    """Yield the leaf hashes of entries start..end-1."""
    return map(hashing.leaf_hash, entries(start, end))


def frontier_at(size: int) -> Frontier:
    """Return the right edge of the tree of the first `size` entries.

    Reads the entries since the last checkpoint that is not larger.
    """
    rows = CheckpointRow.objects.filter(size__lte=size).order_by("-size")
    base = rows.first()
    frontier = (
        Frontier()
        if base is None
        else Frontier.from_bytes(base.size, bytes(base.frontier))
    )
    for leaf in leaves(frontier.size, size):
        frontier.append(leaf)
    return frontier


def make(wanted: Tile) -> bytes:
    """Return the bytes of a tile. Reads every entry below it."""
    if wanted.level == ENTRIES:
        return tile.encode_bundle(list(entries(wanted.start, wanted.end)))
    # Each hash of level L stands for 256^L leaves.
    each = WIDTH**wanted.level
    below = leaves(wanted.start * each, wanted.end * each)
    return b"".join(hashing.root_hash(islice(below, each)) for _ in range(wanted.width))


def extend(store: TileStore, *, old: Checkpoint | None, new: Checkpoint) -> None:
    """Write the bundles and hash tiles that `new` has and `old` had not.

    Reads the entries in between and those of the bundle that `old` ends in. Where the
    tiles do not lead to `old` they were lost or spoiled, and all are made anew. The
    caller knows that the rows give `new`. Raises TileConflict, RootMismatch,
    SequenceBroken.
    """
    tiling = Tiling() if old is None else _resume(store, old)
    start = tiling.size
    if start == 0:
        _check_root(new)
    for bundle in tile.entry_tiles(start, new.size):
        data = list(entries(bundle.start, bundle.end))
        known = max(0, start - bundle.start)
        if known:
            _check_known(store, bundle, data[:known])
        store.write(bundle, tile.encode_bundle(data))
        for each in data[known:]:
            for made in tiling.append(hashing.leaf_hash(each)):
                store.write(*made)
    for made in tiling.edge():
        store.write(*made)


def reader(store: TileStore) -> Callable[[Tile], bytes]:
    """Return a function that reads hash tiles, and makes those that were lost."""

    def read(wanted: Tile) -> bytes:
        try:
            return read_hashes(store, wanted)
        except (errors.FileNotServed, errors.TileInvalid):
            return make(wanted)

    return read


def read_hashes(store: TileStore, wanted: Tile) -> bytes:
    """Return the bytes of a hash tile, from the full tile once that took its place.

    Raises FileNotServed, or TileInvalid where it has another length.
    """
    try:
        data = store.read(wanted)
    except errors.FileNotServed:
        data = store.read(wanted.full)[: wanted.width * HASH_BYTES]
    if len(data) != wanted.width * HASH_BYTES:
        raise errors.TileInvalid(
            f"{wanted.path} must have {wanted.width * HASH_BYTES} bytes, not "
            f"{len(data)}"
        )
    return data


def _resume(store: TileStore, old: Checkpoint) -> Tiling:
    """Return the tiling of a log of `old`, or an empty one where it cannot be read."""
    try:
        found = Tiling.resume(old.size, lambda wanted: read_hashes(store, wanted))
    except (errors.FileNotServed, errors.TileInvalid) as error:
        reason = str(error)
    else:
        if found.root() == old.root:
            return found
        reason = "they give another root"
    logger.error(
        "the tiles in %s do not lead to the %d entries published last, and are made "
        "anew from the entries: %s",
        store.root,
        old.size,
        reason,
    )
    return Tiling()


def _check_root(new: Checkpoint) -> None:
    if hashing.root_hash(leaves(0, new.size)) != new.root:
        raise errors.RootMismatch(
            f"the first {new.size} entries do not give the root they gave before: rows "
            "were changed",
            seq=new.size,
        )


def _check_known(store: TileStore, bundle: Tile, data: list[bytes]) -> None:
    """Check the entries of the last bundle that were published before."""
    hashed = Tile(level=0, index=bundle.index, width=len(data))
    if b"".join(map(hashing.leaf_hash, data)) != read_hashes(store, hashed):
        raise errors.RootMismatch(
            f"entries {bundle.start} to {bundle.start + len(data) - 1} are not what "
            "was published: rows were changed",
            seq=bundle.start,
        )
