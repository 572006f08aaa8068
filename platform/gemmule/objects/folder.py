"""Keep files in a folder of this machine, where they were written: the default."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gemmule.objects.kept import Read


class Folder:
    """Files below `root`; a key is the path from there."""

    def __init__(self, root: Path) -> None:
        """Keep the root, which is made at the first use."""
        self.root = root

    def path(self, key: str) -> Path:
        """Return where the file lies; a key that leads out of the root is impossible.

        >>> Folder(Path("/data/store")).path("1/store-2").as_posix()
        '/data/store/1/store-2'
        """
        path = self.root / key
        if ".." in path.parts or not path.is_relative_to(self.root):
            raise AssertionError("a key leads out of its folder")
        return path

    def check(self) -> None:
        """Do nothing: a folder keeps what is written to it."""

    def keep(self, key: str) -> None:
        """Do nothing: what was written here stays here."""

    @contextmanager
    def reader(self, key: str) -> Iterator[Read]:
        """Open the file once, for all that is read of it."""
        with self.path(key).open("rb") as file:
            descriptor = file.fileno()
            yield lambda position, size: os.pread(descriptor, size, position)

    @contextmanager
    def at_hand(self, key: str, *beside: str) -> Iterator[Path]:
        """Yield where the file lies anyway."""
        yield self.path(key)

    def delete(self, key: str) -> None:
        """Delete the file or folder; raises OSError when that is impossible."""
        path = self.path(key)
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def names(self, key: str = "") -> Iterator[str]:
        """Yield the names in a folder, in order."""
        yield from sorted(path.name for path in self.path(key).glob("*"))

    def changed_at(self, key: str) -> datetime | None:
        """Return when a name was last added to the folder or taken from it."""
        try:
            changed_s = self.path(key).stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(changed_s, UTC)
