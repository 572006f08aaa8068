"""Copies, on this machine, of files that are kept in a bucket: read again and again.

One folder per key, locked shared while it is read (flock, so that a killed reader
lets go) and exclusive while it is filled, so that two workers fetch a file once.
What was used longest ago makes room for what is new, unless it is being read.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Cache:
    """Folders below `root`, of at most `max_bytes` together when a new one is full."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        """Keep root and bound; the root is made at the first use."""
        self.root = root
        self.max_bytes = max_bytes

    @contextmanager
    def held(
        self, key: str, *, whole: str, fill: Callable[[Path], None]
    ) -> Iterator[Path]:
        """Yield the folder of a key, filled by `fill` unless `whole` is there.

        `fill` puts the file of that name there last. The folder is not evicted before
        the block ends; `Folder.delete` takes it away all the same.
        """
        entry = self.root / key
        descriptor = self._locked(entry, whole)
        try:
            if not (entry / whole).exists():
                for left in entry.iterdir():
                    left.unlink()  # By whoever was killed while he filled it.
                fill(entry)
                self._evict(entry)
                # Two processes that want to read must not exclude each other.
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            os.utime(entry)
            yield entry
        finally:
            os.close(descriptor)

    def _locked(self, entry: Path, whole: str) -> int:
        """Return the locked folder: shared when it is whole, else exclusively."""
        while True:
            for lock in (fcntl.LOCK_SH, fcntl.LOCK_EX):
                entry.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(descriptor, lock)
                is_there = _is_at(descriptor, entry)
                is_whole = (entry / whole).exists()
                if is_there and (is_whole or lock == fcntl.LOCK_EX):
                    return descriptor
                # Evicted while we waited, or still to be filled.
                os.close(descriptor)

    def _evict(self, newest: Path) -> None:
        sizes = {
            Path(folder): sum(_size_of(Path(folder, name)) for name in files)
            for folder, _, files in os.walk(self.root)
            if files
        }
        left = sum(sizes.values())
        for entry in sorted(sizes, key=_used_at):
            if left <= self.max_bytes:
                return
            if entry != newest and _remove_unless_read(entry):
                left -= sizes[entry]


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _used_at(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0


def _remove_unless_read(entry: Path) -> bool:
    try:
        descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        shutil.rmtree(entry, ignore_errors=True)
        return True
    finally:
        os.close(descriptor)
