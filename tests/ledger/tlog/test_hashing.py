"""The tree is that of RFC 6962."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog import hashing
from ledger.tlog.hashing import Frontier
from tests.ledger.tlog.naive import NaiveTree

VECTORS = Path(__file__).parents[2] / "vectors" / "tlog"

vectors = json.loads((VECTORS / "rfc6962_roots.json").read_text())


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_well_known_leaves(size: int) -> None:
    leaves = [bytes.fromhex(each) for each in vectors["leaves_hex"][:size]]
    root = hashing.root_hash(hashing.leaf_hash(each) for each in leaves)
    assert root.hex() == vectors["roots_hex"][size]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_frontier_gives_the_root_of_the_recursive_formula(
    leaves: list[bytes],
) -> None:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(hashing.leaf_hash(leaf))
    assert frontier.root() == NaiveTree(leaves).root(0, len(leaves))
    assert frontier.size == len(leaves)


def test_a_leaf_is_never_a_node() -> None:
    left, right = hashing.leaf_hash(b"a"), hashing.leaf_hash(b"b")
    assert hashing.leaf_hash(left + right) != hashing.node_hash(left, right)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 100])
def test_a_frontier_is_stored_and_grows_on(size: int) -> None:
    whole, first = Frontier(), Frontier()
    for number in range(size + 5):
        leaf = hashing.leaf_hash(b"%d" % number)
        whole.append(leaf)
        if number < size:
            first.append(leaf)
    stored = first.to_bytes()
    grown = Frontier.from_bytes(size, stored)
    for number in range(size, size + 5):
        grown.append(hashing.leaf_hash(b"%d" % number))
    assert grown.root() == whole.root()
    assert first.to_bytes() == stored
    assert len(stored) == 32 * size.bit_count()


def test_a_copy_grows_apart() -> None:
    frontier = Frontier()
    frontier.append(hashing.leaf_hash(b""))
    twin = frontier.copy()
    twin.append(hashing.leaf_hash(b"x"))
    assert (frontier.size, twin.size) == (1, 2)
    assert frontier.root() == hashing.leaf_hash(b"")


@pytest.mark.parametrize(
    ("size", "data"),
    [(0, bytes(32)), (1, b""), (3, bytes(32)), (1, bytes(31)), (-1, b"")],
)
def test_a_frontier_of_another_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"perfect subtrees|32 bytes"):
        Frontier.from_bytes(size, data)


def test_subtrees_of_a_frontier_cover_the_tree_once() -> None:
    leaves = [hashing.leaf_hash(b"%d" % number) for number in range(11)]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    subtrees = frontier.subtrees()
    assert list(subtrees) == [(3, 0), (1, 4), (0, 10)]
    assert subtrees[3, 0] == hashing.root_hash(leaves[:8])
    assert subtrees[1, 4] == hashing.root_hash(leaves[8:10])
    assert subtrees[0, 10] == leaves[10]
