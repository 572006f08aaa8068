"""Another implementation makes the same roots and proofs, and believes ours."""

import random

import pymerkle
import pytest

from ledger.tlog import hashing, proof
from ledger.tlog.hashing import Frontier

SIZES = 300
DATA = [b"entry %d" % number for number in range(2000)]
LEAVES = [hashing.leaf_hash(each) for each in DATA]
TREE = proof.subtrees_of(Frontier(), LEAVES)
THEIRS = pymerkle.InmemoryTree.init_from_entries(DATA, algorithm="sha256")


def some(rng: random.Random, count: int) -> list[int]:
    """All numbers below a small count, twenty of a larger one."""
    return rng.sample(range(count), min(count, 64 if count <= 64 else 20))


def test_roots_are_theirs() -> None:
    for size in [*range(SIZES + 1), *range(SIZES, len(DATA) + 1, 17)]:
        assert proof.root_of(size, TREE) == THEIRS.get_root(size)


def test_inclusion_proofs_are_theirs(rng: random.Random) -> None:
    for size in range(1, SIZES + 1):
        root = THEIRS.get_root(size)
        for index in some(rng, size):
            path = proof.inclusion_proof(index, size, TREE)
            # Theirs counts leaves from 1, and begins with the leaf itself.
            their_proof = THEIRS.prove_inclusion(index + 1, size)
            assert their_proof.path == [LEAVES[index], *path]
            proof.verify_inclusion(
                index=index, size=size, leaf=LEAVES[index], proof=path, root=root
            )


def test_they_believe_our_inclusion_proofs_and_no_changed_ones() -> None:
    for size in (1, 2, 3, 100, 255, 256, 257, 2000):
        root = proof.root_of(size, TREE)
        for index in range(0, size, 7):
            path = proof.inclusion_proof(index, size, TREE)
            rule = THEIRS.prove_inclusion(index + 1, size).rule
            made = pymerkle.InclusionProof(
                "sha256", True, size, index + 1, rule, [LEAVES[index], *path]
            )
            made.verify(LEAVES[index], root, index=index + 1, size=size)
            if path:
                made.path = [LEAVES[index], *path[:-1], bytes(32)]
                with pytest.raises(pymerkle.InvalidProof):
                    made.verify(LEAVES[index], root, index=index + 1, size=size)


def test_consistency_is_proven_between_their_roots_and_between_ours(
    rng: random.Random,
) -> None:
    # Their proof is another one: the path of the first new leaf. Each side's proof
    # must lead from root to root of the other.
    for new_size in range(1, SIZES + 1):
        new_root = proof.root_of(new_size, TREE)
        for old_size in (1 + each for each in some(rng, new_size)):
            proof.verify_consistency(
                old_size=old_size,
                old_root=THEIRS.get_root(old_size),
                new_size=new_size,
                new_root=THEIRS.get_root(new_size),
                proof=proof.consistency_proof(old_size, new_size, TREE),
            )
            THEIRS.prove_consistency(old_size, new_size).verify(
                proof.root_of(old_size, TREE), new_root, old_size, new_size
            )
