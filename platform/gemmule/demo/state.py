"""The directory a demo keeps its state in: one user at a time, and how to start over.

What is in it is the business of the rooms; its place is `GEMMULE_DATA_DIR`.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "demo.lock"
# What settings make at import, before anything of the demo runs.
_MADE_BY_SETTINGS = {"keys", "uploads"}


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
    names = {path.name for path in data_dir.iterdir()} if data_dir.exists() else set()
    if _MARK not in names and names - _MADE_BY_SETTINGS:
        raise StateRefused(
            f"{data_dir} holds {len(names)} files or folders that no demo made; "
            "name an empty directory in GEMMULE_DATA_DIR"
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
