"""Write small private files that outlive a power cut and never appear in halves."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_once(path: Path, content: bytes) -> None:
    """Write the file unless it exists; it appears whole or not at all.

    Two processes that start together agree on the content of the first.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # The other process was first; what it wrote is kept.
    finally:
        draft.unlink()
    sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Write the file over what was there; a reader sees the old or the new."""
    _draft(path, content).replace(path)
    sync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Add a line to the file unless it stands there; it is on disk afterwards."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock")):
        text = path.read_text(encoding="ascii") if path.exists() else ""
        if line in text.split("\n"):
            return
        # What a power cut left of a line would swallow the next one.
        whole = text[: text.rfind("\n") + 1]
        replace(path, f"{whole}{line}\n".encode("ascii"))


def make_folder(path: Path) -> None:
    """Make the folder and those above it; they are on disk afterwards."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that this file stands for, among all threads and processes.

    The kernel drops it when the process dies, so nothing is ever left locked.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Each open has a lock of its own, so two threads exclude each other as well.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock that this file stands for; raise BlockingIOError if it is taken.

    For a process that must be the only one of its kind as long as it lives.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft
