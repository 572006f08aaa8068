"""Keep files of the ledger in places that a restore of the database does not change.

One place is always the folder of the public files; a room above may add others, such
as a bucket (`also_keep_in`). Names are relative paths in POSIX form. These files are
never served: the rooms above decide file by file what may be read over HTTP.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from django.conf import settings

from ledger import durable


class Copies(Protocol):
    """A place for small files; raises OSError while it is away."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names directly below a folder, in order."""

    def read(self, name: str) -> bytes | None:
        """Return a file, None where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file over what was there; it is on disk afterwards."""


class FolderCopies:
    """Files below a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names in a folder; drafts that a crash left are none."""
        paths = (self._root / folder).glob("[!.]*")
        yield from sorted(path.name for path in paths)

    def read(self, name: str) -> bytes | None:
        """Return a file."""
        try:
            return (self._root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file, and the folders above it."""
        path = self._root / name
        durable.make_folder(path.parent)
        durable.replace(path, data)


_others: list[Callable[[], Iterable[Copies]]] = []


def also_keep_in(places: Callable[[], Iterable[Copies]]) -> None:
    """Also keep copies in the places that the function returns."""
    _others.append(places)


def here() -> FolderCopies:
    """Return the folder of the public files."""
    return FolderCopies(settings.LEDGER_PUBLIC_DIR)


def others() -> tuple[Copies, ...]:
    """Return the places beyond this machine."""
    return tuple(place for places in _others for place in places())


def everywhere() -> tuple[Copies, ...]:
    """Return all places, the folder of this machine first."""
    return (here(), *others())
