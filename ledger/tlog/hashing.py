"""Hash leaves and nodes of the Merkle tree, and grow the tree one leaf at a time.

Proofs about the tree are in `proof`; what a leaf holds is in `entry`.
Source: RFC 6962 section 2.1 (RFC 9162 section 2.1 is the same tree).
"""

import hashlib
from collections.abc import Iterable
from typing import NewType

from ledger.tlog import canonical

LeafHash = NewType("LeafHash", bytes)

HASH_BYTES = 32
# SHA-256(), the root of a tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> LeafHash:
    """Return the hash of one leaf.

    >>> leaf_hash(b"").hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    # SHA-256(0x00 || data), RFC 6962 section 2.1
    return LeafHash(hashlib.sha256(b"\x00" + data).digest())


def decode(text: str) -> bytes:
    """Return the hash of a base64 text; raise ValueError unless it is exactly one."""
    found = canonical.decode_base64(text)
    if len(found) != HASH_BYTES:
        raise ValueError(f"a hash has {HASH_BYTES} bytes, not {len(found)}")
    return found


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    # SHA-256(0x01 || left || right), RFC 6962 section 2.1
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Return the root over a power of two of hashes that stand one after the other."""
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        # As `node_hash`, whose two halves are neighbours here.
        hashes = b"".join(
            hashlib.sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest()
            for at in pairs
        )
    return hashes


class Frontier:
    """The right edge of a tree: all that is needed to append and to tell the root.

    Holds the roots of the perfect subtrees the tree decomposes into, from the
    largest to the smallest: one for each 1 bit of `size`, so at most 64 hashes
    however long the log is. Appending costs O(log n), on average one hash.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)
        if size < 0 or len(self._hashes) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} perfect subtrees, "
                f"{len(self._hashes)} hashes came"
            )
        if any(len(each) != HASH_BYTES for each in self._hashes):
            raise ValueError(f"each hash of a frontier has {HASH_BYTES} bytes")

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read back what `to_bytes` wrote for a tree of `size` leaves."""
        return cls(
            size, (data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))
        )

    def to_bytes(self) -> bytes:
        """Return the hashes one after the other, the largest subtree first."""
        return b"".join(self._hashes)

    def copy(self) -> "Frontier":
        """Return a frontier that grows apart from this one."""
        return Frontier(self.size, self._hashes)

    def append(self, leaf: LeafHash) -> None:
        """Add one leaf at the right."""
        node: bytes = leaf
        ones = self.size
        # Each trailing 1 bit is a perfect subtree that the new leaf completes.
        while ones & 1:
            node = node_hash(self._hashes.pop(), node)
            ones >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree; for no leaves, SHA-256 of nothing."""
        if not self._hashes:
            return EMPTY_ROOT
        # MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])): the subtrees are
        # joined from the right, RFC 6962 section 2.1
        node = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            node = node_hash(left, node)
        return node

    def subtrees(self) -> dict[tuple[int, int], bytes]:
        """Return the perfect subtrees as {(level, index): hash}.

        Subtree (level, index) covers the leaves [index << level, (index+1) << level).
        """
        found: dict[tuple[int, int], bytes] = {}
        start_0 = 0
        levels = (b for b in reversed(range(self.size.bit_length())))
        hashes = iter(self._hashes)
        for level in levels:
            if self.size >> level & 1:
                found[level, start_0 >> level] = next(hashes)
                start_0 += 1 << level
        return found


def root_hash(leaves: Iterable[LeafHash]) -> bytes:
    """Return the root of the tree with these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()
