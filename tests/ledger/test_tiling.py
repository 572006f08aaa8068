"""Tiles grown leaf by leaf are those that tlog-tiles defines."""

import hashlib
from typing import Any

import pytest

from ledger import tiling
from ledger.tlog import hashing, tile
from ledger.tlog.hashing import EMPTY_ROOT, LeafHash
from ledger.tlog.tile import Tile

LEAVES = [LeafHash(hashlib.sha256(b"%d" % at).digest()) for at in range(70_000)]


def grown(leaves: list[LeafHash]) -> tuple[tiling.Tiling, dict[Tile, bytes]]:
    """Return the tiling, and every full tile made on the way."""
    state = tiling.Tiling()
    full: dict[Tile, bytes] = {}
    for leaf in leaves:
        made = dict(state.append(leaf))
        assert not made.keys() & full.keys()
        full.update(made)
    return state, full


def by_definition(wanted: Tile) -> bytes:
    # MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]), "Merkle Tree"
    span = 256**wanted.level
    return b"".join(
        hashing.root_hash(LEAVES[at * span : (at + 1) * span])
        for at in range(wanted.start, wanted.end)
    )


@pytest.fixture(scope="module")
def large() -> Any:
    return grown(LEAVES)


def test_the_example_of_the_specification(large: Any) -> None:
    # "273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1
    # tile, one partial level 1 tile of width 17, and one partial level 2 tile of width
    # 1"
    state, full = large
    assert [t.path for t, _ in state.edge()] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [t.path for t in full if t.level] == ["tile/1/000"]
    assert len(full) == 274
    state, full = grown(LEAVES[:256])
    assert [t.path for t, _ in state.edge()] == ["tile/1/000.p/1"]
    assert [t.path for t in full] == ["tile/0/000"]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 1000, 70_000])
def test_tiles_and_root_are_by_definition(size: int, large: Any) -> None:
    state, full = large if size == 70_000 else grown(LEAVES[:size])
    assert state.size == size
    assert state.root() == hashing.root_hash(LEAVES[:size])
    made = {**full, **dict(state.edge())}
    assert made.keys() == set(tile.hash_tiles(0, size))
    for each, data in made.items():
        if each.index % 50 == 0 or each.level:
            assert data == by_definition(each)


def test_a_tree_without_leaves_has_no_tiles() -> None:
    state = tiling.Tiling()
    assert (state.edge(), state.root()) == ([], EMPTY_ROOT)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 512, 65_536, 65_537, 70_000])
def test_a_tiling_is_resumed_from_its_edge(size: int) -> None:
    state, _ = grown(LEAVES[:size])
    kept = dict(state.edge())
    again = tiling.Tiling.resume(size, kept.__getitem__)
    assert again.root() == state.root()
    for leaf in LEAVES[:300]:
        assert again.append(leaf) == state.append(leaf)
    assert again.edge() == state.edge()
