"""What the rooms ask of a place for finished files, wherever it is.

A file has a key, a relative path in POSIX form. It is written on this machine, at
`path(key)`, and is everybody's once `keep(key)` has returned. What is kept never
changes: other bytes have another key.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

# Takes a position and a size, returns the bytes there: fewer only at the file's end.
Read = Callable[[int, int], bytes]


class StorageAway(OSError):
    """The storage does not answer, or not as it should; later it may."""


class Objects(Protocol):
    """A place for files; `Folder` keeps them where they were written."""

    def path(self, key: str) -> Path:
        """Return where this machine writes the file before it is kept."""

    def check(self) -> None:
        """Raise StorageAway while nothing can be kept, before work is done in vain."""

    def keep(self, key: str) -> None:
        """Keep what was written at `path(key)`: whole, or not at all."""

    def reader(self, key: str) -> AbstractContextManager[Read]:
        """Open a file that is kept, to be read range by range."""

    def at_hand(self, key: str, *beside: str) -> AbstractContextManager[Path]:
        """Yield a local path of a file, those `beside` it named by their keys."""

    def delete(self, key: str) -> None:
        """Delete the file, or all below the key; what is gone already is no error."""

    def names(self, key: str = "") -> Iterator[str]:
        """Yield what lies directly below a key, finished or not."""

    def changed_at(self, key: str) -> datetime | None:
        """Return when something directly below the key last changed, if it is there."""
