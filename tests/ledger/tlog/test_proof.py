"""Proofs hold for what they prove, and for nothing else."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import hashing, proof
from ledger.tlog.hashing import Frontier
from tests.ledger.tlog.naive import (
    NaiveTree,
    Refused,
    check_consistency,
    check_inclusion,
)

SIZES = 300
DATA = [b"%d" % number for number in range(SIZES)]
LEAVES = [hashing.leaf_hash(each) for each in DATA]
NAIVE = NaiveTree(DATA)


def frontier_of(size: int) -> Frontier:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    return frontier


def whole_tree() -> proof.Subtrees:
    return proof.subtrees_of(Frontier(), LEAVES)


def test_every_inclusion_proof_of_every_tree_up_to_300_is_the_formula() -> None:
    tree = whole_tree()
    for size in range(1, SIZES + 1):
        root = NAIVE.root(0, size)
        assert proof.root_of(size, tree) == root == hashing.root_hash(LEAVES[:size])
        for index in range(size):
            path = proof.inclusion_proof(index, size, tree)
            assert path == NAIVE.path(index, 0, size)
            proof.verify_inclusion(
                index=index, size=size, leaf=LEAVES[index], proof=path, root=root
            )


def test_every_consistency_proof_of_every_tree_up_to_300_is_the_formula() -> None:
    tree = whole_tree()
    for new_size in range(1, SIZES + 1):
        for old_size in range(1, new_size + 1):
            path = proof.consistency_proof(old_size, new_size, tree)
            assert path == NAIVE.consistency(old_size, 0, new_size)
            proof.verify_consistency(
                old_size=old_size,
                old_root=NAIVE.root(0, old_size),
                new_size=new_size,
                new_root=NAIVE.root(0, new_size),
                proof=path,
            )


@pytest.mark.parametrize("new_size", range(1, 40))
def test_the_frontier_and_the_new_leaves_suffice_for_a_consistency_proof(
    new_size: int,
) -> None:
    for old_size in range(1, new_size + 1):
        subtree = proof.subtrees_of(frontier_of(old_size), LEAVES[old_size:new_size])
        path = proof.consistency_proof(old_size, new_size, subtree)
        assert path == NAIVE.consistency(old_size, 0, new_size)


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


COUNTS = st.integers(-2, 10) | st.integers() | st.integers(2**64 - 2, 2**64 + 1)
HASHES = st.sampled_from([b"", bytes(31), bytes(32), bytes(33), LEAVES[0], LEAVES[1]])


@given(COUNTS, COUNTS, HASHES, st.lists(HASHES, max_size=5), HASHES)
def test_any_inclusion_is_proven_or_refused_as_a_second_check_does(
    index: int, size: int, leaf: bytes, path: list[bytes], root: bytes
) -> None:
    # So large a tree is no tree to us; the naive walk has no such end.
    expected = None if size < 2**64 else Refused
    try:
        check_inclusion(index, size, leaf, path, root)
    except Refused:
        expected = Refused
    try:
        proof.verify_inclusion(index=index, size=size, leaf=leaf, proof=path, root=root)
    except errors.ProofInvalid:
        assert expected is Refused
        return
    assert expected is None


@given(COUNTS, COUNTS, HASHES, HASHES, st.lists(HASHES, max_size=5))
def test_any_consistency_is_proven_or_refused_as_a_second_check_does(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: list[bytes]
) -> None:
    expected = None if new_size < 2**64 else Refused
    try:
        check_consistency(old_size, new_size, old_root, new_root, path)
    except Refused:
        expected = Refused
    try:
        proof.verify_consistency(
            old_size=old_size,
            old_root=old_root,
            new_size=new_size,
            new_root=new_root,
            proof=path,
        )
    except errors.ProofInvalid:
        assert expected is Refused
        return
    assert expected is None


@pytest.mark.parametrize("count", [10**5000, -(10**5000)], ids=["above", "below"])
def test_a_number_too_long_to_print_is_refused(count: int) -> None:
    leaf, others = LEAVES[0], LEAVES[1:3]
    for index, size in ((0, count), (count, 3), (count, count)):
        with pytest.raises(errors.ProofInvalid, match="counted from 0 to 2"):
            proof.verify_inclusion(
                index=index, size=size, leaf=leaf, proof=others, root=leaf
            )
        with pytest.raises(errors.ProofInvalid, match="counted from 0 to 2"):
            proof.verify_consistency(
                old_size=index, old_root=leaf, new_size=size, new_root=leaf, proof=[]
            )


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_bytes_do_not_wander_between_neighbouring_hashes(wrong: bytes) -> None:
    root = NAIVE.root(0, 3)
    for leaf, other, top in (
        (wrong, LEAVES[1], root),
        (LEAVES[0], wrong, root),
        (LEAVES[0], LEAVES[1], wrong),
    ):
        with pytest.raises(errors.ProofInvalid, match="has 32 bytes"):
            proof.verify_inclusion(
                index=0, size=3, leaf=leaf, proof=[other, LEAVES[2]], root=top
            )
    with pytest.raises(errors.ProofInvalid, match="has 32 bytes"):
        proof.verify_inclusion(index=0, size=1, leaf=wrong, proof=[], root=wrong)


def test_one_size_compares_roots_of_any_length() -> None:
    proof.verify_consistency(
        old_size=1, old_root=b"odd", new_size=1, new_root=b"odd", proof=[]
    )
    with pytest.raises(errors.ProofInvalid, match="two different roots"):
        proof.verify_consistency(
            old_size=1, old_root=b"odd", new_size=1, new_root=b"od", proof=[]
        )
