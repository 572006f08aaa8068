"""A file of a release while it comes: under a name of its own until it is whole.

The name holds the digest that the file must have, so that what is left of a killed
download is never gone on with as something else. No part is kept beside it that could
disagree with it: where to go on is its size.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gemmule.downloader.errors import DoesNotHold, InTheWay
from gemmule.verifier.manifests import NamedFile

SUFFIX = ".part"
_READ_BYTES = 1 << 20
# Of the digest, in hex: enough to tell versions of one file apart.
_DIGEST_CHARS = 16


class Part:
    """What has come of a file; `position` is where to go on."""

    def __init__(self, path: Path, named: NamedFile, file: IO[bytes]) -> None:
        self.path = path
        self._named = named
        self._file = file
        self._digest = hashlib.sha256()
        self.position = 0
        self.is_resumed = False

    def go_on(self) -> None:
        """Take in what an earlier download has left."""
        while chunk := self._file.read(_READ_BYTES):
            self._digest.update(chunk)
            self.position += len(chunk)
        self.is_resumed = self.position > 0
        if self.position > self._named.size_bytes:
            self.start_over()

    def start_over(self) -> None:
        """Forget everything that has come."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.position = 0
        self.is_resumed = False

    def write(self, piece: bytes) -> None:
        """Add what came next; after a kill it is there, because nothing is buffered."""
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]
        self._digest.update(piece)
        self.position += len(piece)

    def is_right(self) -> bool:
        """Tell whether these are the bytes that the manifest names."""
        return (
            self.position == self._named.size_bytes
            and self._digest.hexdigest() == self._named.sha256_cipher
        )

    def finish(self, target: Path) -> None:
        """Give the whole file its final name, for good."""
        if not self.is_right():
            raise AssertionError("only what is whole gets its final name")
        os.fsync(self._file.fileno())
        settle(self.path, target)


@contextmanager
def begun(folder: Path, named: NamedFile) -> Iterator[Part]:
    """Open what has come of a file so far, nothing at first."""
    path = path_of(folder, named)
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(number, "r+b", buffering=0) as file:
        part = Part(path, named, file)
        part.go_on()
        try:
            yield part
        finally:
            if not part.position:
                path.unlink(missing_ok=True)


def path_of(folder: Path, named: NamedFile) -> Path:
    """Return where the file lies while it comes."""
    return folder / f"{named.name}.{named.sha256_cipher[:_DIGEST_CHARS]}{SUFFIX}"


def others(folder: Path, named: NamedFile) -> list[Path]:
    """Return parts of other versions of the file."""
    length = _DIGEST_CHARS + len(SUFFIX)
    own = path_of(folder, named).name
    return [
        path
        for path in folder.iterdir()
        if path.name.startswith(f"{named.name}.")
        and path.name.endswith(SUFFIX)
        and len(path.name) == len(own)
        and path.name[-length:] != own[-length:]
    ]


def is_there(target: Path, *, sha256: str, size: int | None = None) -> bool:
    """Tell whether the whole file is there already; raise InTheWay for another one."""
    if not target.exists() and not target.is_symlink():
        return False
    if target.is_file() and size in (None, target.stat().st_size):
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return True
    raise InTheWay(
        f"in the way: {target} is not the file that the manifest names: move it "
        "away, or choose another folder by --into"
    )


def keep(target: Path, data: bytes) -> None:
    """Write a small file at once, in the place of what was there."""
    path = target.with_name(f"{target.name}{SUFFIX}")
    with _private(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    settle(path, target)


class Plain:
    """Takes plaintext as it is opened."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def take(self, plain: bytes, /) -> None:
        """Write the next bytes."""
        self._file.write(plain)


@contextmanager
def opened_into(target: Path) -> Iterator[Plain]:
    """Give the block a place for plaintext, which gets its name if the block holds."""
    path = target.with_name(f"{target.name}{SUFFIX}")
    try:
        with _private(path) as file:
            yield Plain(file)
            file.flush()
            os.fsync(file.fileno())
        settle(path, target)
    finally:
        # Genotypes in the clear are not left lying about.
        path.unlink(missing_ok=True)


def settle(path: Path, target: Path) -> None:
    """Rename a whole file to its final name, so that a power cut does not undo it."""
    path.replace(target)
    if os.name != "posix":
        return
    number = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def differs(named: NamedFile) -> DoesNotHold:
    """Return what to say of a file that came whole and is another one."""
    return DoesNotHold(
        f"the file {named.name} came whole ({named.size_bytes} bytes) and is not the "
        "file that the manifest names: it was changed, at the site or on its way. "
        "Nothing of it was kept"
    )


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        yield file
