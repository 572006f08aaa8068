"""Proofs hold for what they prove, and for nothing else."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import hashing, proof
from ledger.tlog.hashing import Frontier

DATA = [b"%d" % number for number in range(300)]
LEAVES = [hashing.leaf_hash(each) for each in DATA]


def frontier_of(size: int) -> Frontier:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    return frontier


def whole_tree() -> proof.Subtrees:
    return proof.subtrees_of(Frontier(), LEAVES)


@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1)))
)
def test_inclusion_proofs_are_those_of_the_recursive_formula(
    naive: Any, case: tuple[int, int]
) -> None:
    size, index = case
    path = proof.inclusion_proof(index, size, whole_tree())
    assert path == naive.path(index, DATA[:size])
    proof.verify_inclusion(
        index=index,
        size=size,
        leaf=LEAVES[index],
        proof=path,
        root=hashing.root_hash(LEAVES[:size]),
    )


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_consistency_proofs_are_those_of_the_recursive_formula(
    naive: Any, case: tuple[int, int]
) -> None:
    new_size, old_size = case
    path = proof.consistency_proof(old_size, new_size, whole_tree())
    assert path == naive.consistency(old_size, DATA[:new_size])
    proof.verify_consistency(
        old_size=old_size,
        old_root=hashing.root_hash(LEAVES[:old_size]),
        new_size=new_size,
        new_root=hashing.root_hash(LEAVES[:new_size]),
        proof=path,
    )


@pytest.mark.parametrize("new_size", range(1, 40))
def test_the_frontier_and_the_new_leaves_suffice_for_a_consistency_proof(
    naive: Any, new_size: int
) -> None:
    for old_size in range(1, new_size + 1):
        subtree = proof.subtrees_of(frontier_of(old_size), LEAVES[old_size:new_size])
        path = proof.consistency_proof(old_size, new_size, subtree)
        assert path == naive.consistency(old_size, DATA[:new_size])


def test_every_proof_of_every_small_tree_verifies() -> None:
    for size in range(1, 34):
        root = hashing.root_hash(LEAVES[:size])
        for index in range(size):
            path = proof.inclusion_proof(index, size, whole_tree())
            proof.verify_inclusion(
                index=index, size=size, leaf=LEAVES[index], proof=path, root=root
            )


def test_any_change_of_an_inclusion_proof_is_refused(rng: random.Random) -> None:
    for size in (1, 2, 3, 5, 8, 13, 64, 100, 255):
        index = rng.randrange(size)
        good: dict[str, Any] = {
            "index": index,
            "size": size,
            "leaf": LEAVES[index],
            "proof": proof.inclusion_proof(index, size, whole_tree()),
            "root": hashing.root_hash(LEAVES[:size]),
        }
        path = good["proof"]
        changes: list[dict[str, Any]] = [
            {"proof": [*path, bytes(32)]},
            {"proof": [bytes(32), *path]},
            {"leaf": bytes(32)},
            {"root": bytes(32)},
            {"index": size},
            {"index": -1},
        ]
        if path:
            changes.append({"proof": path[:-1]})
            changes.append({"proof": path[1:]})
            changes.append({"index": index ^ 1})
        changes += [
            {
                "proof": [
                    *path[:at],
                    bytes([path[at][0] ^ 1]) + path[at][1:],
                    *path[at + 1 :],
                ]
            }
            for at in range(len(path))
        ]
        for change in changes:
            with pytest.raises(errors.ProofInvalid):
                proof.verify_inclusion(**{**good, **change})


def test_any_change_of_a_consistency_proof_is_refused(rng: random.Random) -> None:
    for new_size in (2, 3, 6, 8, 9, 17, 64, 100, 255):
        old_size = rng.randrange(1, new_size)
        path = proof.consistency_proof(old_size, new_size, whole_tree())
        good: dict[str, Any] = {
            "old_size": old_size,
            "old_root": hashing.root_hash(LEAVES[:old_size]),
            "new_size": new_size,
            "new_root": hashing.root_hash(LEAVES[:new_size]),
            "proof": path,
        }
        changes: list[dict[str, Any]] = [
            {"proof": [*path, bytes(32)]},
            {"proof": [bytes(32), *path]},
            {"proof": path[:-1]},
            {"proof": []},
            {"old_root": bytes(32)},
            {"new_root": bytes(32)},
            {"old_root": good["new_root"]},
            {"old_size": new_size},
            {"old_size": 0},
            {"new_size": old_size},
            {"new_size": old_size - 1},
        ]
        changes += [
            {
                "proof": [
                    *path[:at],
                    bytes([path[at][0] ^ 1]) + path[at][1:],
                    *path[at + 1 :],
                ]
            }
            for at in range(len(path))
        ]
        for change in changes:
            with pytest.raises(errors.ProofInvalid):
                proof.verify_consistency(**{**good, **change})


def test_two_roots_of_one_size_are_two_histories() -> None:
    with pytest.raises(errors.ProofInvalid, match="two different roots for 3"):
        proof.verify_consistency(
            old_size=3, old_root=bytes(32), new_size=3, new_root=LEAVES[0], proof=[]
        )


def test_one_size_needs_no_proof() -> None:
    root = hashing.root_hash(LEAVES[:3])
    proof.verify_consistency(
        old_size=3, old_root=root, new_size=3, new_root=root, proof=[]
    )


def test_proofs_that_cannot_be_are_not_made() -> None:
    with pytest.raises(ValueError, match="leaf 3 is not in a tree of 3"):
        proof.inclusion_proof(3, 3, whole_tree())
    with pytest.raises(ValueError, match="no proof leads from 4 leaves to 3"):
        proof.consistency_proof(4, 3, whole_tree())
