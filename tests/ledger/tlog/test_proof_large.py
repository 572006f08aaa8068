"""Proofs hold in trees of up to a million leaves, read from tiles alone."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from ledger import errors
from ledger.tlog import hashing, proof
from ledger.tlog.hashing import Frontier, LeafHash
from ledger.tlog.tile import WIDTH, Tile, TileTree

LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The hashes of each tile level, and the roots of some sizes."""

    levels: tuple[Sequence[LeafHash], ...]
    roots: dict[int, bytes]

    def read(self, wanted: Tile) -> bytes:
        return b"".join(self.levels[wanted.level][wanted.start : wanted.end])

    def leaf(self, index: int) -> bytes:
        return self.levels[0][index]


@pytest.fixture(scope="module")
def log() -> Log:
    """Return a million leaves, each hashed once, and roots at random sizes."""
    sizes = set(random.Random(6962).sample(range(301, LARGEST), 60))
    sizes |= {LARGEST, 2**16, 2**16 + 1, 2**19 - 1}
    leaves = [
        LeafHash(hashlib.sha256(b"\x00%d" % number).digest())
        for number in range(LARGEST)
    ]
    frontier, roots = Frontier(), {}
    for leaf in leaves:
        frontier.append(leaf)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    levels = [leaves]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append(
            [
                LeafHash(hashing.root_hash(below[start : start + WIDTH]))
                for start in range(0, len(below) // WIDTH * WIDTH, WIDTH)
            ]
        )
    return Log(levels=tuple(levels), roots=roots)


def test_random_trees_have_their_roots(log: Log) -> None:
    for size, root in log.roots.items():
        assert proof.root_of(size, TileTree(size, log.read)) == root


def test_random_leaves_of_random_trees_are_included(
    log: Log, rng: random.Random
) -> None:
    for size, root in log.roots.items():
        tree = TileTree(size, log.read)
        for index in {0, size - 1, *(rng.randrange(size) for _ in range(10))}:
            path = proof.inclusion_proof(index, size, tree)
            assert len(path) <= (size - 1).bit_length()
            proof.verify_inclusion(
                index=index, size=size, leaf=log.leaf(index), proof=path, root=root
            )
            with pytest.raises(errors.ProofInvalid):
                proof.verify_inclusion(
                    index=index,
                    size=size,
                    leaf=log.leaf((index + 1) % size),
                    proof=path,
                    root=root,
                )


def test_random_trees_are_consistent(log: Log, rng: random.Random) -> None:
    sizes = sorted(log.roots)
    for old_size, new_size in (sorted(rng.choices(sizes, k=2)) for _ in range(300)):
        path = proof.consistency_proof(old_size, new_size, TileTree(new_size, log.read))
        assert len(path) <= new_size.bit_length() + 1
        proof.verify_consistency(
            old_size=old_size,
            old_root=log.roots[old_size],
            new_size=new_size,
            new_root=log.roots[new_size],
            proof=path,
        )
        with pytest.raises(errors.ProofInvalid):
            proof.verify_consistency(
                old_size=old_size,
                old_root=log.roots[old_size],
                new_size=new_size,
                new_root=bytes(32),
                proof=path,
            )
