"""Tiles are those of C2SP tlog-tiles, and the tree is read back from few of them."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import hashing, proof, tile
from ledger.tlog.hashing import LeafHash
from ledger.tlog.tile import ENTRIES, WIDTH, Tile, TileTree

ENTRY = [b"entry %d" % number for number in range(1000)]
LEAVES = [hashing.leaf_hash(each) for each in ENTRY]


def write_tiles(old_size: int, new_size: int) -> dict[Tile, bytes]:
    """Write the hash tiles by the formula of the specification."""
    return {
        each: b"".join(
            hashing.root_hash(LEAVES[n << 8 * each.level : n + 1 << 8 * each.level])
            for n in range(each.start, each.end)
        )
        for each in tile.hash_tiles(old_size, new_size)
    }


def reader(tiles: dict[Tile, bytes]) -> Callable[[Tile], bytes]:
    def read(wanted: Tile) -> bytes:
        if wanted not in tiles:
            raise errors.FileNotServed(wanted.path)
        return tiles[wanted]

    return read


class EqualLeaves:
    """The tiles of a tree, however large, whose leaves are all the same."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = [hashing.leaf_hash(b"one for all")]
        for _ in range(63):
            self.hashes.append(hashing.node_hash(self.hashes[-1], self.hashes[-1]))
        self.read: list[Tile] = []

    def __call__(self, wanted: Tile) -> bytes:
        self.read.append(wanted)
        return self.hashes[8 * wanted.level] * wanted.width

    def root(self, size: int) -> bytes:
        return proof.root_of(size, lambda level, _: self.hashes[level])


def paths(tiles: Iterator[Tile]) -> list[str]:
    return [each.path for each in tiles]


def test_the_tree_of_the_specification_ends_in_its_tiles() -> None:
    found = paths(tile.hash_tiles(0, 70_000))
    assert sum(each.startswith("tile/0/") for each in found) == 274
    assert found[0] == "tile/0/000"
    assert found[272:] == [
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert paths(tile.entry_tiles(0, 70_000))[-1] == "tile/entries/273.p/112"


def test_a_full_tile_begins_the_level_above() -> None:
    assert paths(tile.hash_tiles(0, 256)) == ["tile/0/000", "tile/1/000.p/1"]
    assert paths(tile.hash_tiles(255, 256)) == ["tile/0/000", "tile/1/000.p/1"]
    assert paths(tile.hash_tiles(256, 257)) == ["tile/0/001.p/1"]
    assert paths(tile.hash_tiles(511, 512)) == ["tile/0/001", "tile/1/000.p/2"]
    assert paths(tile.entry_tiles(254, 257)) == [
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_a_tree_that_does_not_grow_writes_nothing(size: int) -> None:
    assert not paths(tile.hash_tiles(size, size))
    assert not paths(tile.entry_tiles(size, size))


@given(st.lists(st.integers(1, 3000), max_size=6), st.integers(0, 200_000))
def test_growing_in_steps_writes_every_tile_of_the_whole(
    steps: list[int], start: int
) -> None:
    at, written = start, set(tile.hash_tiles(0, start))
    for step in steps:
        written |= set(tile.hash_tiles(at, at + step))
        at += step
    assert set(tile.hash_tiles(0, at)) <= written


@given(
    st.integers(ENTRIES, tile.MAX_LEVEL),
    st.integers(0, 2**64 - 1),
    st.integers(1, WIDTH),
)
def test_a_path_reads_back(level: int, index: int, width: int) -> None:
    made = Tile(level=level, index=index, width=width)
    assert Tile.from_path(made.path) == made
    assert made.end - made.start == width


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/Entries/000",
        "tile/0/x000/001",
        "tile/0/x001/1",
        "tile/0/001/x002",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/X001/234",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/1/",
        "tile/0/000\n",
        " tile/0/000",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/\uff10\uff10\uff10",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 7 + "999",
    ],
)
def test_a_path_of_no_tile_is_refused(path: str) -> None:
    with pytest.raises(errors.TileInvalid):
        Tile.from_path(path)


def test_any_flipped_bit_of_a_path_is_refused_or_another_tile() -> None:
    path = "tile/entries/x001/x234/067.p/112"
    for at in range(len(path)):
        for bit in range(7):
            changed = path[:at] + chr(ord(path[at]) ^ 1 << bit) + path[at + 1 :]
            try:
                assert Tile.from_path(changed) != Tile.from_path(path)
            except errors.TileInvalid:
                pass  # The other of the two claims.


@pytest.mark.parametrize(
    ("level", "index", "width", "message"),
    [
        (-2, 0, 1, "within 0 and 63"),
        (64, 0, 1, "within 0 and 63"),
        (0, -1, 1, "64 bits"),
        (0, 2**64, 1, "64 bits"),
        (0, 0, 0, "1 to 256 wide"),
        (0, 0, 257, "1 to 256 wide"),
    ],
)
def test_a_tile_that_cannot_be_is_not_named(
    level: int, index: int, width: int, message: str
) -> None:
    with pytest.raises(errors.TileInvalid, match=message):
        Tile(level=level, index=index, width=width)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700, 1000])
def test_the_tree_read_from_tiles_is_the_tree_of_the_leaves(size: int) -> None:
    tree = TileTree(size, reader(write_tiles(0, size)))
    assert proof.root_of(size, tree) == hashing.root_hash(LEAVES[:size])
    for level in range(size.bit_length()):
        for index in range(size >> level):
            leaves = LEAVES[index << level : index + 1 << level]
            assert tree(level, index) == hashing.root_hash(leaves)


def test_the_tree_without_leaves_has_no_tile() -> None:
    tree = TileTree(0, reader({}))
    assert proof.root_of(0, tree) == hashing.EMPTY_ROOT


@pytest.mark.parametrize(
    ("level", "index"), [(-1, 0), (0, -1), (0, 700), (1, 350), (9, 1), (10, 0)]
)
def test_a_subtree_beyond_the_tree_is_not_read(level: int, index: int) -> None:
    tree = TileTree(700, reader(write_tiles(0, 700)))
    with pytest.raises(ValueError, match="is not in 700 leaves"):
        tree(level, index)


def test_the_full_tile_takes_the_place_of_a_partial_one() -> None:
    tiles = write_tiles(0, 768)
    del tiles[Tile(level=1, index=0, width=3)]
    tiles[Tile(level=1, index=0, width=256)] = bytes(256 * 32)
    # Signed at 700, looked at after the log went on and deleted what was partial.
    tree = TileTree(700, reader(tiles))
    assert tree(0, 699) == LEAVES[699]
    assert tree(8, 0) == bytes(32)


@pytest.mark.parametrize("path", ["tile/0/001", "tile/0/002.p/188"])
def test_a_tile_that_is_nowhere_is_named(path: str) -> None:
    tiles = write_tiles(0, 700)
    del tiles[Tile.from_path(path)]
    with pytest.raises(errors.FileNotServed, match="tile/0/00"):
        TileTree(700, reader(tiles))(0, Tile.from_path(path).start)


@pytest.mark.parametrize("length", [0, 1, 31, 187 * 32, 188 * 32 - 1, 256 * 32])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    tiles = write_tiles(0, 700)
    tiles[Tile(level=0, index=2, width=188)] = bytes(length)
    with pytest.raises(errors.TileInvalid, match=r"tile/0/002\.p/188 has 6016 bytes"):
        TileTree(700, reader(tiles))(0, 699)


def test_a_proof_in_ten_million_leaves_reads_six_tiles_at_most() -> None:
    size = 10_000_019
    leaf = hashing.leaf_hash(b"one for all")
    for index in (0, 1, 255, 256, 65_535, 4_999_999, 9_999_999, size - 2, size - 1):
        tiles = EqualLeaves()
        path = proof.inclusion_proof(index, size, TileTree(size, tiles))
        # Three levels of tiles: one on the way to the leaf, one at the right edge.
        assert len(tiles.read) <= 6
        assert len(set(tiles.read)) == len(tiles.read)
        proof.verify_inclusion(
            index=index, size=size, leaf=leaf, proof=path, root=tiles.root(size)
        )
    for old_size in (1, 256, 65_537, 7_777_777, size - 1):
        tiles = EqualLeaves()
        path = proof.consistency_proof(old_size, size, TileTree(size, tiles))
        assert len(tiles.read) <= 6
        proof.verify_consistency(
            old_size=old_size,
            old_root=tiles.root(old_size),
            new_size=size,
            new_root=tiles.root(size),
            proof=path,
        )


def test_one_tree_reads_a_tile_once_for_all_its_proofs() -> None:
    tiles = EqualLeaves()
    tree = TileTree(70_000, tiles)
    for index in range(256):
        proof.inclusion_proof(index, 70_000, tree)
    assert len(tiles.read) == len(set(tiles.read)) <= 6


def test_any_flipped_byte_of_a_hash_tile_spoils_the_proofs_through_it() -> None:
    tiles = write_tiles(0, 773)
    good = proof.inclusion_proof(772, 773, TileTree(773, reader(tiles)))
    edges = [each for each in tiles if each.width < WIDTH]
    assert paths(iter(edges)) == ["tile/0/003.p/5", "tile/1/000.p/3"]
    for each in edges:
        for at in range(len(tiles[each])):
            changed = bytearray(tiles[each])
            changed[at] ^= 1
            tree = TileTree(773, reader({**tiles, each: bytes(changed)}))
            assert proof.root_of(773, tree) != hashing.root_hash(LEAVES[:773])
            # The proof's own leaf comes from the entry, never from the tile.
            if (each.level, at // 32) != (0, 4):
                assert proof.inclusion_proof(772, 773, tree) != good


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=WIDTH))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    data = tile.encode_bundle(entries)
    assert tile.parse_bundle(data, len(entries)) == entries
    assert len(data) == sum(2 + len(each) for each in entries)


def test_a_bundle_holds_the_longest_entry_and_no_longer_one() -> None:
    longest = bytes(2**16 - 1)
    assert tile.parse_bundle(tile.encode_bundle([longest]), 1) == [longest]
    with pytest.raises(errors.TileInvalid, match="at most 65535 bytes"):
        tile.encode_bundle([longest + b"x"])


@pytest.mark.parametrize("count", [0, 257])
def test_a_bundle_of_no_width_is_not_made(count: int) -> None:
    with pytest.raises(errors.TileInvalid, match="1 to 256 entries"):
        tile.encode_bundle([b""] * count)


def test_any_flipped_bit_of_a_bundle_is_refused_or_changes_a_leaf() -> None:
    data = tile.encode_bundle(ENTRY[:5])
    root = hashing.root_hash(LEAVES[:5])
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            try:
                entries = tile.parse_bundle(bytes(changed), 5)
            except errors.TileInvalid:
                continue
            leaves: list[LeafHash] = [hashing.leaf_hash(each) for each in entries]
            assert hashing.root_hash(leaves) != root


def test_a_bundle_cut_lengthened_or_of_another_width_is_refused() -> None:
    data = tile.encode_bundle(ENTRY[:5])
    for at in range(len(data)):
        with pytest.raises(errors.TileInvalid):
            tile.parse_bundle(data[:at], 5)
    for more in (b"\x00", b"\x00\x00", b"\x00\x01", b"\n"):
        with pytest.raises(errors.TileInvalid):
            tile.parse_bundle(data + more, 5)
    for width in (0, 4, 6, 256):
        with pytest.raises(errors.TileInvalid, match=f"of {width} entries holds 5"):
            tile.parse_bundle(data, width)


@given(st.binary(max_size=300), st.integers(1, WIDTH))
def test_garbage_is_refused_or_is_its_own_bundle(data: bytes, width: int) -> None:
    try:
        entries = tile.parse_bundle(data, width)
    except errors.TileInvalid:
        return
    assert tile.encode_bundle(entries) == data
