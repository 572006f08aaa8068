"""A file of a log is whole, never goes back, and a full tile never changes."""

import os
from pathlib import Path

import pytest

from ledger import durable, errors
from ledger.tiles import TileStore, edge
from ledger.tlog import tile
from ledger.tlog.tile import ENTRIES, Tile
from tests.ledger import written

FULL = Tile(level=0, index=1234, width=256)
PART = Tile(level=0, index=1234, width=5)


@pytest.fixture
def store(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "deep" / "public")


def test_tiles_lie_where_the_specification_says(store: TileStore) -> None:
    for each in (FULL, PART, Tile(level=ENTRIES, index=7, width=3)):
        store.write(each, b"hashes")
        assert store.read(each) == b"hashes"
    found = {
        str(path.relative_to(store.root))
        for path in store.root.rglob("*")
        if path.is_file()
    }
    assert found == {
        "tile/0/x001/234",
        "tile/0/x001/234.p/5",
        "tile/entries/007.p/3",
    }


def test_what_is_not_there_is_not_served(store: TileStore) -> None:
    with pytest.raises(errors.FileNotServed, match="tile/0/x001/234 is not in"):
        store.read(FULL)
    assert store.read_checkpoint() is None
    assert store.read_policy() is None
    # A file where a folder belongs.
    store.write(Tile(level=0, index=0, width=256), b"hashes")
    (store.root / "tile" / "0" / "000.p").write_bytes(b"")
    with pytest.raises(errors.FileNotServed):
        store.read(Tile(level=0, index=0, width=1))


def test_a_full_tile_never_changes(store: TileStore) -> None:
    store.write(FULL, b"hashes")
    store.write(FULL, b"hashes")
    with pytest.raises(errors.TileConflict, match=r"tile/0/x001/234 in .* is full"):
        store.write(FULL, b"others")
    assert store.read(FULL) == b"hashes"


def test_a_partial_tile_can_be_written_anew(store: TileStore) -> None:
    store.write(PART, b"of a crash")
    store.write(PART, b"hashes")
    assert store.read(PART) == b"hashes"


def test_a_tile_is_on_disk_before_it_has_its_name(
    store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    sync = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    store.write(FULL, b"hashes")
    path = store.root / FULL.path
    # The new folders from below, the draft of the tile, its name.
    assert path.parent.parent in synced[:-2]
    assert synced[-2].name.startswith(".234.")
    assert synced[-1] == path.parent
    synced.clear()
    store.write(FULL, b"hashes")
    assert synced == [path.parent]


def test_a_checkpoint_is_never_replaced_by_a_smaller_one(store: TileStore) -> None:
    log = written.log_of(7)
    five, seven = written.signed(log[:5]), written.signed(log)
    assert store.write_checkpoint(five)
    assert store.write_checkpoint(seven)
    assert store.write_checkpoint(seven)
    assert not store.write_checkpoint(five)
    assert store.read_checkpoint() == seven
    with pytest.raises(errors.CheckpointInvalid):
        store.write_checkpoint(written.KEY.sign("no checkpoint\n"))
    assert store.read_checkpoint() == seven


def test_the_policy_is_written_when_it_changes(
    store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_policy(b"quorum none\n")
    assert store.read_policy() == b"quorum none\n"
    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace", None)
        store.write_policy(b"quorum none\n")
    store.write_policy(b"quorum all\n")
    assert store.read_policy() == b"quorum all\n"


def test_partial_tiles_go_once_the_full_one_is_published(store: TileStore) -> None:
    sizes = [3, 200, 255, 256, 300, 511, 700]
    for old, new in zip([0, *sizes], sizes, strict=False):
        for each in (*tile.hash_tiles(old, new), *tile.entry_tiles(old, new)):
            store.write(each, each.path.encode())
        store.prune(old, new)
        for each in (*tile.hash_tiles(0, new), *tile.entry_tiles(0, new)):
            assert store.read(each)
    folders = {path.name for path in store.root.rglob("*.p")}
    # Of the newest tile of each level alone: 700 = 2 * 256 + 188.
    assert folders == {"002.p", "000.p"}
    assert [each.name for each in store.root.rglob("000.p")] == ["000.p"]
    assert (store.root / "tile" / "1" / "000.p").is_dir()


def test_the_edge_is_what_is_partial() -> None:
    assert [each.path for each in edge(70_000)] == [
        "tile/0/273.p/112",
        "tile/entries/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [each.path for each in edge(256)] == ["tile/1/000.p/1"]
    assert list(edge(0)) == []
