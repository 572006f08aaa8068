"""Tiles come from the entries, are made anew where lost, and never from other ones."""

import logging
import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.conf import settings

from ledger import derivation, errors, models, publishing
from ledger.tiles import TileStore
from ledger.tlog import entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.tile import ENTRIES, Tile
from tests.ledger import written

pytestmark = pytest.mark.usefixtures("database")

Unguarded = Callable[[], AbstractContextManager[None]]
SIZE = 600


@pytest.fixture
def log() -> list[bytes]:
    """Return a log of 600 entries that is in the table."""
    log = written.log_of(SIZE)
    put(log)
    return log


def put(log: list[bytes]) -> None:
    models.Entry.objects.bulk_create(
        models.Entry(
            seq=seq, event=uuid.uuid4(), data=data, leaf_hash=hashing.leaf_hash(data)
        )
        for seq, data in enumerate(log)
    )


def head(log: list[bytes], size: int = SIZE) -> Checkpoint:
    return Checkpoint(
        origin=settings.LEDGER_ORIGIN, size=size, root=written.root_of(log[:size])
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_files_are_those_of_the_specification(
    log: list[bytes], tmp_path: Path
) -> None:
    derivation.extend(TileStore(tmp_path), old=None, new=head(log))
    assert files(tmp_path) == written.files_of(log)


def test_a_log_that_grows_step_by_step_has_the_same_files(
    log: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, old = TileStore(tmp_path), None
    read: list[tuple[int, int]] = []
    entries = derivation.entries

    def noted(start: int, end: int) -> object:
        read.append((start, end))
        return entries(start, end)

    for size in (1, 2, 255, 256, 257, 511, 512, 513, SIZE):
        with monkeypatch.context() as patch:
            patch.setattr(derivation, "entries", noted)
            derivation.extend(store, old=old, new=head(log, size))
        if old is not None:
            # Never the log again: only what is new, and the bundle it begins in.
            assert min(start for start, _ in read) == old.size // 256 * 256
        read.clear()
        old = head(log, size)
        found = files(tmp_path)
        for path, data in written.files_of(log[:size]).items():
            assert found[path] == data


def test_tiles_that_were_lost_or_spoiled_are_made_anew(
    log: list[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, old = TileStore(tmp_path), head(log, 300)
    derivation.extend(store, old=None, new=old)
    edge = Tile(level=0, index=1, width=44)
    for spoil in (bytes(44 * 32), b"short"):
        store.write(edge, spoil)
        with caplog.at_level(logging.ERROR):
            derivation.extend(store, old=old, new=head(log))
        assert "do not lead to the 300 entries published last" in caplog.text
        caplog.clear()
        for path, data in written.files_of(log).items():
            assert (tmp_path / path).read_bytes() == data
    shutil.rmtree(tmp_path / "tile")
    derivation.extend(store, old=old, new=head(log))
    assert files(tmp_path) == written.files_of(log)


def test_a_full_tile_of_another_history_stops_it(
    log: list[bytes], tmp_path: Path
) -> None:
    store = TileStore(tmp_path)
    other = written.log_of(256, e3={"commit": bytes(32)})
    for path, data in written.files_of(other).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    with pytest.raises(errors.TileConflict):
        derivation.extend(store, old=None, new=head(log))
    assert (tmp_path / "tile" / "0" / "000").read_bytes() == written.files_of(other)[
        "tile/0/000"
    ]


def test_nothing_is_written_from_rows_that_were_changed(
    log: list[bytes], tmp_path: Path, unguarded: Unguarded
) -> None:
    store = TileStore(tmp_path)
    row = models.Entry.objects.get(seq=20)
    with unguarded():
        row.data = bytes(row.data).replace(b"consent.given", b"consent.paused")
        row.save()
    with pytest.raises(errors.RootMismatch, match="rows were changed"):
        derivation.extend(store, old=None, new=head(log))
    assert files(tmp_path) == {}


def test_a_published_entry_is_not_written_into_a_bundle_as_something_else(
    log: list[bytes], tmp_path: Path, unguarded: Unguarded
) -> None:
    store, old = TileStore(tmp_path), head(log, 300)
    derivation.extend(store, old=None, new=old)
    before = files(tmp_path)
    row = models.Entry.objects.get(seq=280)
    with unguarded():
        row.data = bytes(row.data).replace(b"consent.given", b"consent.paused")
        row.save()
    with pytest.raises(errors.RootMismatch, match="entries 256 to 299 are not what"):
        derivation.extend(store, old=old, new=head(log))
    assert files(tmp_path) == before


def test_a_missing_row_is_found(log: list[bytes], unguarded: Unguarded) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=7).delete()
    with pytest.raises(errors.SequenceBroken, match="entry 7 is missing"):
        list(derivation.leaves(0, 20))


def test_any_tile_can_be_made_alone(log: list[bytes]) -> None:
    made = written.files_of(log)
    for path, data in made.items():
        assert derivation.make(Tile.from_path(path)) == data
    assert derivation.make(Tile(level=ENTRIES, index=0, width=1)) == (
        len(log[0]).to_bytes(2, "big") + log[0]
    )


def test_a_reader_takes_what_it_finds_and_makes_the_rest(
    log: list[bytes], tmp_path: Path
) -> None:
    store, made = TileStore(tmp_path), written.files_of(log)
    read = derivation.reader(store)
    partial, full = (Tile(level=0, index=0, width=width) for width in (7, 256))
    assert read(partial) == made["tile/0/000"][: 7 * 32]
    store.write(full, bytes(256 * 32))
    assert read(partial) == bytes(7 * 32)
    store.write(partial, b"\1" * 7 * 32)
    assert read(partial) == b"\1" * 7 * 32
    store.write(partial, b"short")
    assert read(partial) == made["tile/0/000"][: 7 * 32]


def test_entries_are_those_of_the_log(log: list[bytes]) -> None:
    assert list(derivation.entries(250, 260)) == log[250:260]
    assert entry.parse(log[250]).seq == 250
    assert publishing.store().root == settings.LEDGER_PUBLIC_DIR
