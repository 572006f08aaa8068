"""Where release files lie: under RELEASE_DIR, by ids alone.

One folder per release and fencing token, so that two builds of one release never
write the same file, and what a lost build left behind can be swept. Beside them
`scratch`, where child processes keep plaintext for as long as they run.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from gemmule.releases.models import Release, ReleaseFile


def staging_dir(release: Release, token: int) -> Path:
    """Make and return the empty folder in which this build leaves its files."""
    folder = _root() / f"{release.pk:08d}" / f"{token:04d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def relative(path: Path) -> str:
    """Return the path as it is kept in `ReleaseFile.path`."""
    return path.relative_to(_root()).as_posix()


def path_of(file: ReleaseFile) -> Path:
    """Return where the file lies; a path that leaves the folder is impossible."""
    root = _root()
    path = (root / file.path).resolve()
    if not path.is_relative_to(root):
        raise AssertionError(f"release file {file.pk} points outside its folder")
    return path


def scratch() -> Path:
    """Make and return the folder in which child processes keep plaintext meanwhile."""
    folder = _root() / "scratch"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def build_folders() -> Iterator[tuple[int, list[int]]]:
    """Yield each release's id with the fencing tokens whose builds have a folder."""
    for folder in sorted(_root().glob("[0-9]*")):
        yield int(folder.name), sorted(int(one.name) for one in folder.glob("[0-9]*"))


def sweep(release: Release, *, keep_token: int | None) -> None:
    """Delete the folders of all builds of a release but the one kept."""
    folder = _root() / f"{release.pk:08d}"
    for child in folder.glob("*"):
        if keep_token is None or child.name != f"{keep_token:04d}":
            shutil.rmtree(child, ignore_errors=True)


def discard(release: Release, token: int) -> None:
    """Delete what the build with this token wrote; nothing there is no error."""
    shutil.rmtree(_root() / f"{release.pk:08d}" / f"{token:04d}", ignore_errors=True)


def delete(release: Release) -> None:
    """Delete every byte of a release; what cannot be deleted raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(_root() / f"{release.pk:08d}")


def is_scratch_empty() -> bool:
    """Tell whether no child process keeps plaintext just now."""
    return next(scratch().iterdir(), None) is None


def _root() -> Path:
    root: Path = settings.RELEASE_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root.resolve()
