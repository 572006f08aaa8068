"""Where release files lie: below RELEASE_DIR or in the bucket, by ids alone.

One folder per release and fencing token, so that two builds of one release never
write the same file, and what a lost build left behind can be swept. Beside these,
`parts-N` holds the parts of split build N until they are joined. On each machine there
is `scratch` besides, where child processes keep plaintext for as long as they run.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from gemmule.objects import places
from gemmule.objects.folder import Folder
from gemmule.objects.kept import Objects, Read
from gemmule.releases.models import Release, ReleaseFile

_PARTS = "parts-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What lies below a release's folder: of builds by token, of split builds by id."""

    release: int
    tokens: tuple[int, ...]
    splits: tuple[int, ...]


def staging_dir(release: Release, token: int) -> Path:
    """Make and return the empty folder in which this build leaves its files.

    Raises StorageAway while nothing of them could be kept.
    """
    objects, key = _objects(), _key(release, token)
    objects.check()
    objects.delete(key)
    folder = objects.path(key)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def relative(path: Path) -> str:
    """Return the path as it is kept in `ReleaseFile.path`."""
    return path.relative_to(_root()).as_posix()


def keep(path: Path) -> None:
    """Keep a finished file of a staging folder where every machine finds it."""
    _objects().keep(relative(path))


def at_hand(path: Path) -> AbstractContextManager[Path]:
    """Yield where a file that any machine has kept can be read on this one."""
    return _objects().at_hand(relative(path))


def reader(file: ReleaseFile) -> AbstractContextManager[Read]:
    """Open a file of a release, to be read range by range."""
    return _objects().reader(file.path)


def is_in_its_place(file: ReleaseFile) -> bool:
    """Tell whether the file is read from the folder of a build of its own release."""
    parts = file.path.split("/")
    return (
        len(parts) == 3
        and parts[0] == f"{file.release_id:08d}"
        and parts[1].isdecimal()
        and parts[2] == file.name
    )


def new_part(release_id: int, split_id: int, name: str) -> Path:
    """Return where a part of a split build is to be written, which nothing else is."""
    path = _objects().path(f"{_parts_key(release_id, split_id)}/{name}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def put_part(path: Path) -> str:
    """Keep a part where every machine finds it; return what to fetch it by."""
    keep(path)
    return relative(path)


def part_at_hand(kept: str) -> AbstractContextManager[Path]:
    """Yield where a part that was kept can be read on this machine."""
    return _objects().at_hand(kept)


def drop_part(path: Path) -> None:
    """Delete a part that came to nothing."""
    with contextlib.suppress(OSError):
        _objects().delete(relative(path))


def discard_parts(release_id: int, split_id: int, place: Objects | None = None) -> None:
    """Delete the parts of a split build, everywhere or in one place.

    Nothing there is no error.
    """
    with contextlib.suppress(OSError):
        (place or _objects()).delete(_parts_key(release_id, split_id))


def scratch() -> Path:
    """Make and return the folder in which child processes keep plaintext meanwhile."""
    folder = _root() / "scratch"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def here() -> list[Folder]:
    """Return where this machine may hold what is kept elsewhere; none by default."""
    return places.left_here(_root())


def folders(place: Objects | None = None) -> Iterator[Folders]:
    """Yield what each release has, everywhere or in one place."""
    objects = place or _objects()
    for release in objects.names():
        if release.isdecimal():
            names = list(objects.names(release))
            yield Folders(
                release=int(release),
                tokens=tuple(int(one) for one in names if one.isdecimal()),
                splits=tuple(
                    int(one.removeprefix(_PARTS))
                    for one in names
                    if one.startswith(_PARTS)
                ),
            )


def sweep(release: Release, *, keep_token: int | None) -> None:
    """Delete the folders of all builds of a release but the one kept."""
    objects = _objects()
    # What cannot be deleted now, `upkeep.tidy` finds again.
    with contextlib.suppress(OSError):
        for name in objects.names(_key(release)):
            if keep_token is None or name != f"{keep_token:04d}":
                objects.delete(f"{_key(release)}/{name}")


def discard(release: Release, token: int, place: Objects | None = None) -> None:
    """Delete what the build with this token wrote, everywhere or in one place.

    Nothing there is no error.
    """
    with contextlib.suppress(OSError):
        (place or _objects()).delete(_key(release, token))


def delete(release: Release) -> None:
    """Delete every byte of a release; what cannot be deleted raises OSError."""
    _objects().delete(_key(release))


def is_scratch_empty() -> bool:
    """Tell whether no child process keeps plaintext just now."""
    return next(scratch().iterdir(), None) is None


def _objects() -> Objects:
    return places.place("releases", _root())


def _key(release: Release, token: int | None = None) -> str:
    """Return the key below which a release's files lie, or those of one build.

    >>> _key(Release(pk=7), 2)
    '00000007/0002'
    """
    key = f"{release.pk:08d}"
    return key if token is None else f"{key}/{token:04d}"


def _parts_key(release_id: int, split_id: int) -> str:
    return f"{release_id:08d}/{_PARTS}{split_id:08d}"


def _root() -> Path:
    root: Path = settings.RELEASE_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root.resolve()
