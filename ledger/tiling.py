"""Grow the hash tiles of a tree leaf by leaf, holding its right edge alone. No Django.

Which file a tile is, and how proofs are read from tiles, is in `tlog.tile`; here every
tile is made from the leaves, to be written or to be compared with what somebody serves.
Source: C2SP tlog-tiles (https://c2sp.org/tlog-tiles), "Merkle Tree".
"""

from collections.abc import Callable
from typing import TypeAlias

from ledger.tlog import hashing
from ledger.tlog.hashing import EMPTY_ROOT, HASH_BYTES, Frontier, LeafHash
from ledger.tlog.tile import HEIGHT, WIDTH, Tile

# A tile and its bytes.
Made: TypeAlias = tuple[Tile, bytes]


class Tiling:
    """The tiles at the right edge of a tree: at most 255 hashes for each level."""

    def __init__(self) -> None:
        self.size = 0
        # At each level, the hashes of the tile that is not full yet.
        self._edge: list[list[bytes]] = []

    @classmethod
    def resume(cls, size: int, read: Callable[[Tile], bytes]) -> "Tiling":
        """Return the tiling of a tree of `size` leaves whose tiles can be read.

        Reads the partial tiles of that size, one for each level.
        """
        found = cls()
        found.size = size
        level = 0
        while count := size >> HEIGHT * level:
            width = count % WIDTH
            hashes: list[bytes] = []
            if width:
                data = read(Tile(level=level, index=count // WIDTH, width=width))
                hashes = [
                    data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)
                ]
            found._edge.append(hashes)
            level += 1
        return found

    def append(self, leaf: LeafHash) -> list[Made]:
        """Add one leaf; return the tiles it makes full, the lowest first."""
        self.size += 1
        full: list[Made] = []
        node: bytes = leaf
        level = 0
        while True:
            if level == len(self._edge):
                self._edge.append([])
            edge = self._edge[level]
            edge.append(node)
            if len(edge) < WIDTH:
                return full
            index = (self.size >> HEIGHT * (level + 1)) - 1
            data = b"".join(edge)
            full.append((Tile(level=level, index=index, width=WIDTH), data))
            node = hashing.perfect_root(data)
            edge.clear()
            level += 1

    def edge(self) -> list[Made]:
        """Return the partial tiles of the tree as it is, the lowest first."""
        found: list[Made] = []
        for level, hashes in enumerate(self._edge):
            index = self.size >> HEIGHT * (level + 1)
            if hashes:
                tile = Tile(level=level, index=index, width=len(hashes))
                found.append((tile, b"".join(hashes)))
        return found

    def root(self) -> bytes:
        """Return the root of the tree."""
        node: bytes | None = None
        for hashes in self._edge:
            # The smallest subtree stands at the right, and is joined first.
            for subtree in reversed(_subtrees(hashes)):
                node = subtree if node is None else hashing.node_hash(subtree, node)
        return EMPTY_ROOT if node is None else node


def _subtrees(hashes: list[bytes]) -> list[bytes]:
    """Return the perfect subtrees over the hashes, the largest first."""
    frontier = Frontier()
    for each in hashes:
        # Hashes of a higher level are joined as leaf hashes are.
        frontier.append(LeafHash(each))
    return list(frontier.subtrees().values())
