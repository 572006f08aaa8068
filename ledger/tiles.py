"""Keep the tiles of one log, its checkpoint and its policy in a folder. No Django.

A file appears whole and on disk, or not at all. A full tile never changes, so one that
would is a fork or a damaged disk, and is left as it is; a partial tile may be written
anew, as nothing refers to it before a checkpoint of its size is in place. Who may read
which files is left to those who serve the folder.
Layout: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

    checkpoint   policy   tile/0/000   tile/0/001.p/17   tile/entries/000   ...
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from ledger import durable, errors
from ledger.tlog import checkpoint, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.tile import ENTRIES, HEIGHT, WIDTH, Tile

_CHECKPOINT, _POLICY = "checkpoint", "policy"


class TileStore:
    """The files of a log below a folder, which is made when the first is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, tile: Tile) -> bytes:
        """Return the bytes of a tile or bundle; raise FileNotServed without one."""
        data = _read(self.root / tile.path)
        if data is None:
            raise errors.FileNotServed(f"{tile.path} is not in {self.root}")
        return data

    def write(self, tile: Tile, data: bytes) -> None:
        """Keep a tile; raise TileConflict where a full one holds something else."""
        path = self.root / tile.path
        kept = _read(path)
        if kept == data:
            durable.sync_folder(path.parent)  # Who wrote it may have died before that.
            return
        if kept is not None and tile.width == WIDTH:
            raise errors.TileConflict(
                f"{tile.path} in {self.root} is full and holds something else than the "
                "entries give: another history was written, or the file was damaged"
            )
        durable.make_folder(path.parent)
        durable.replace(path, data)

    def read_checkpoint(self) -> bytes | None:
        """Return the signed note in place, if there is one."""
        return _read(self.root / _CHECKPOINT)

    def head(self) -> Checkpoint | None:
        """Return the checkpoint in place; None where nothing can be read as one."""
        return head_of(self.read_checkpoint())

    def write_checkpoint(self, signed: bytes) -> bool:
        """Put a signed note in place, never over that of more entries; tell whether."""
        new = checkpoint.parse(note.parse(signed).text)
        durable.make_folder(self.root)
        with durable.locked(self.root / ".checkpoint.lock"):
            kept = self.head()
            if kept is not None and kept.size > new.size:
                return False
            durable.replace(self.root / _CHECKPOINT, signed)
        return True

    def read_policy(self) -> bytes | None:
        """Return the policy in place, if there is one."""
        return _read(self.root / _POLICY)

    def write_policy(self, data: bytes) -> None:
        """Put a policy in place, unless it is there."""
        if self.read_policy() != data:
            durable.make_folder(self.root)
            durable.replace(self.root / _POLICY, data)

    def prune(self, old_size: int, new_size: int) -> None:
        """Remove the partial tiles that became full between two published sizes.

        "MAY delete any partial tile once the corresponding full tile is available"
        (tlog-tiles): else each published size would leave files behind for ever.
        """
        for tile in edge(old_size):
            if tile.index < new_size >> HEIGHT * (max(tile.level, 0) + 1):
                shutil.rmtree(self.root / f"{tile.full.path}.p", ignore_errors=True)


def head_of(signed: bytes | None) -> Checkpoint | None:
    """Return the head that a note is of; None where it cannot be read as one."""
    try:
        return None if signed is None else checkpoint.parse(note.parse(signed).text)
    except errors.VerificationError:
        return None


def edge(size: int) -> Iterator[Tile]:
    """Yield the partial tiles and the partial bundle of a tree of that size."""
    level = 0
    while count := size >> HEIGHT * level:
        if width := count % WIDTH:
            for each in (level, ENTRIES) if level == 0 else (level,):
                yield Tile(level=each, index=count // WIDTH, width=width)
        level += 1


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
