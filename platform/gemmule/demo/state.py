"""The directory a demo keeps its state in: one user at a time, and how to start over.

What is in it is the business of the rooms; its place is `GEMMULE_DATA_DIR`.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "demo.lock"
# What any command of Gemmule may have made there before the first demo.
_OURS = {
    "keys",
    "ledger",
    "logs",
    "mail",
    "media",
    "releases",
    "static",
    "store",
    "uploads",
    "valkey",
    "witnesses",
}
_DATABASE = ".sqlite3"


class StateRefused(Exception):
    """The directory cannot be used; the message says why and what to do."""


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Keep a second demo out of the directory until the block ends.

    The kernel drops the lock with the process, so a crash leaves nothing to clean.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / _MARK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateRefused(
                f"a demo runs on {data_dir} already; stop it first"
            ) from error
        yield


def check_is_ours(data_dir: Path) -> None:
    """Refuse a directory that holds something else than a demo's state."""
    if (data_dir / _MARK).exists() or not data_dir.exists():
        return
    strange = [path for path in data_dir.iterdir() if not _is_ours(path)]
    if strange:
        raise StateRefused(
            f"{data_dir} holds {len(strange)} files or folders that Gemmule did not "
            "make; name an empty directory in GEMMULE_DATA_DIR"
        )


def start_over(data_dir: Path) -> None:
    """Remove all state of a demo; call it while the directory is held."""
    for path in data_dir.iterdir():
        if path.name == _MARK:
            continue  # Others would lock a new file and come in.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_ours(path: Path) -> bool:
    return path.name in _OURS or path.suffix.startswith(_DATABASE)
