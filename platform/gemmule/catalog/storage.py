"""Where uploads and stores lie: below STORE_DIR or in the bucket, by ids alone.

One folder per file: `source` as it was uploaded, until its check ends, and one
store per attempt at the check, so that two workers never write the same path. The
folder's name is a random id: nothing a person typed becomes part of a path. Beside
them `rewrites`, where a store is written anew without some people before it takes the
place of the old one.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

from gemmule.catalog.errors import UploadRefused
from gemmule.catalog.models import DataFile, DataFileState
from gemmule.objects import places
from gemmule.objects.folder import Folder
from gemmule.objects.kept import Objects
from genomics.job import COLUMNS_SUFFIX, INDEX_SUFFIX

_CHUNK_BYTES = 1 << 20
_SOURCE = "source"
# The store last: where it is, the others are.
_SUFFIXES = (INDEX_SUFFIX, COLUMNS_SUFFIX, "")
# The index and unfinished parts are named after their store: .store-1.csi.xyz.part
_STORE = re.compile(r"\.?store-(\d+)(?:\.|$)")


class Readable(Protocol):
    """What an upload must offer: bytes in order, empty at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What arrived: its length and the SHA-256 of its bytes, in hex."""

    size_bytes: int
    sha256: str


def receive(file_id: UUID, stream: Readable) -> Received:
    """Write a stream to the folder of `file_id` as its source and return its digest.

    Nothing is left when it is empty, longer than UPLOAD_MAX_BYTES or cannot be
    written: then `UploadRefused` says which. What is there afterwards is on disk.
    """
    folder = _folder(file_id)
    folder.mkdir(mode=0o700, parents=True)
    try:
        received = _write(folder / _SOURCE, stream)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UploadRefused(
                "there is no room left for this file; nothing of it was kept. "
                "Tell the administrator that the store is full"
            ) from error
        raise
    try:
        _objects().keep(f"{file_id}/{_SOURCE}")
    except BaseException:
        # What may have come to a bucket that is away `upkeep.tidy` finds.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return received


def check_length(size_bytes: int) -> None:
    """Refuse more bytes than are taken in at once."""
    limit: int = settings.UPLOAD_MAX_BYTES
    if size_bytes > limit:
        raise UploadRefused(
            f"this is longer than {limit:,} bytes, the most that is taken in at "
            "once; split it by chromosome and upload the files one by one"
        )


def source_path(file: DataFile) -> Path:
    """Return where the upload lies until its check ends."""
    return _folder(file.pk) / _SOURCE


def store_path(file: DataFile) -> Path:
    """Return where the file's canonical store is written by this attempt."""
    return _objects().path(file.store_path)


def keep_store(file: DataFile) -> None:
    """Keep the store that this attempt has written, where every machine finds it."""
    objects = _objects()
    for suffix in _SUFFIXES:
        objects.keep(file.store_path + suffix)


@contextmanager
def source_at_hand(file: DataFile) -> Iterator[Path]:
    """Yield where the upload can be read, until its check ends."""
    with _objects().at_hand(f"{file.pk}/{_SOURCE}") as path:
        # Its store is written beside it, also where another machine took it in.
        _folder(file.pk).mkdir(mode=0o700, parents=True, exist_ok=True)
        yield path


def store_at_hand(file: DataFile) -> AbstractContextManager[Path]:
    """Yield where the accepted store can be read, its index and columns beside it."""
    key = file.store_path
    return _objects().at_hand(key, *(key + one for one in _SUFFIXES if one))


def scratch() -> Path:
    """Make and return the folder in which child processes keep plaintext meanwhile."""
    root: Path = settings.STORE_DIR
    path = root / "scratch"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def discard_attempt(file: DataFile) -> None:
    """Delete what an attempt wrote that no longer holds its file."""
    objects = _objects()
    for name in objects.names(str(file.pk)):
        if _attempt_of(name) == file.attempts:
            objects.delete(f"{file.pk}/{name}")


def delete(file_id: UUID, place: Objects | None = None) -> None:
    """Delete everything kept for a file, everywhere or in one place.

    What is gone already is no error, what cannot be deleted raises OSError.
    """
    (place or _objects()).delete(str(file_id))


def sweep(file: DataFile, place: Objects | None = None) -> None:
    """Delete what a file's state no longer needs: upload, lost attempts, refused bytes.

    Everywhere, or in one place; what cannot be deleted raises OSError. Safe to run
    again, and to be killed midway.
    """
    objects = place or _objects()
    if file.state == DataFileState.REFUSED:
        objects.delete(str(file.pk))
        return
    if file.state != DataFileState.ACCEPTED:
        return
    for name in objects.names(str(file.pk)):
        number = _attempt_of(name)
        # A later store is not ours to judge: since the row was read, a rewrite may
        # have put it there.
        if number is None or number < file.attempts:
            objects.delete(f"{file.pk}/{name}")


def rewrite_dir(name: str) -> Path:
    """Make and return an empty folder in which stores are written anew."""
    folder = _rewrites() / name
    delete_rewrite(name)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def delete_rewrite(name: str) -> None:
    """Delete such a folder; one that is gone already is no error."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(_rewrites() / name)


def rewrites() -> list[str]:
    """Return the names of the folders of rewrites that are not done."""
    return sorted(path.name for path in _rewrites().glob("*"))


def put_in_place(store: Path, file: DataFile, attempt: int) -> None:
    """Let a store, with what lies beside it, be an attempt's; on disk then.

    Called under the row's lock, before the row names it.
    """
    objects = _objects()
    folder = objects.path(str(file.pk))
    folder.mkdir(mode=0o700, exist_ok=True)
    for suffix in _SUFFIXES:
        path = store.with_name(store.name + suffix)
        path.replace(folder / f"store-{attempt}{suffix}")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    for suffix in _SUFFIXES:
        objects.keep(f"{file.pk}/store-{attempt}{suffix}")


def here() -> list[Folder]:
    """Return where this machine may hold what is kept elsewhere; none by default."""
    return places.left_here(settings.STORE_DIR)


def folders(place: Objects | None = None) -> Iterator[UUID]:
    """Yield the ids of which something is kept."""
    for name in (place or _objects()).names():
        try:
            yield UUID(name)
        except ValueError:
            continue  # Not ours; never touched.


def is_abandoned(file_id: UUID, now: datetime, place: Objects | None = None) -> bool:
    """Return whether what is kept without a row is no upload on its way.

    That takes less than a day; a store is only ever made of a row.
    """
    objects = place or _objects()
    changed_at = objects.changed_at(str(file_id))
    if changed_at is None or now - changed_at > timedelta(days=1):
        return changed_at is not None
    return any(_attempt_of(name) is not None for name in objects.names(str(file_id)))


def _write(path: Path, stream: Readable) -> Received:
    digest = hashlib.sha256()
    size_bytes = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while chunk := stream.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            check_length(size_bytes)
            digest.update(chunk)
            target.write(chunk)
        if not size_bytes:
            raise UploadRefused("the file is empty: expected a VCF")
        target.flush()
        os.fsync(target.fileno())
    return Received(size_bytes=size_bytes, sha256=digest.hexdigest())


def _folder(file_id: UUID) -> Path:
    root: Path = settings.STORE_DIR
    return root / str(file_id)


def _rewrites() -> Path:
    root: Path = settings.STORE_DIR
    return root / "rewrites"


def _objects() -> Objects:
    return places.place("store", settings.STORE_DIR)


def _attempt_of(name: str) -> int | None:
    """Return the attempt whose store, index or part this is; None for the upload.

    >>> _attempt_of("store-2.csi"), _attempt_of("source")
    (2, None)
    """
    found = _STORE.match(name)
    return int(found[1]) if found else None
