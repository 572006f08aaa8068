"""Hold an encrypted file against the manifest, and say what was done to it.

Crypt4GH binds no segment to its place: only the digest in the manifest tells that a
file was cut at a segment's edge, or had segments swapped. The digest decides; with the
secret key it is also seen what happened, and whether the inside is what was named.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from gemmule.verifier import words
from gemmule.verifier.errors import (
    FileChanged,
    FileExtended,
    FileMisnamed,
    FileNotNamed,
    FileRefused,
    FileTruncated,
    HeaderChanged,
    KeyWrong,
    NothingChecked,
    PlaintextDiffers,
    SegmentForged,
    SegmentsMoved,
)
from gemmule.verifier.manifests import Manifest, NamedFile
from genomics.crypt4gh import header, keys, secret_keys, segments
from genomics.crypt4gh.reading import read_full
from genomics.errors import CryptInvalid, KeyInvalid

# magic 8, version 4, packet count 4, and one packet with a data key.
HEADER_BYTES = 16 + 108
_READ_BYTES = 1 << 20


class Sink(Protocol):
    """What plaintext is shown to as it passes; nothing of it is kept."""

    def take(self, plain: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHolds:
    """A file that is the one named; `opened`: what is inside was seen to be too."""

    named: NamedFile
    opened: bool


@dataclass(slots=True)
class _Opened:
    """What was found in a file, segment by segment."""

    segments: int = 0
    # Numbers (from 0) of the segments that do not open.
    closed: list[int] = field(default_factory=list)
    last_bytes: int = 0
    digest: str = ""


def read_secret_key(path: Path, passphrase: str | None) -> bytes:
    """Return the X25519 secret key of a Crypt4GH, OpenSSH or PEM secret key file.

    Raises NothingChecked for anything else.
    """
    try:
        with path.open("rb") as file:
            text = file.read(1 << 16).decode("utf-8-sig")
        return secret_keys.parse(text, passphrase)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NothingChecked(f"cannot read {path}: {reason}") from error
    except (KeyInvalid, UnicodeDecodeError) as error:
        raise NothingChecked(f"{path} is not a secret key to use: {error}") from error


def check_key(secret_key: bytes, manifest: Manifest) -> None:
    """Raise KeyWrong unless the release was made for this secret key."""
    found = keys.fingerprint(keys.public_of(secret_key))
    if found != manifest.recipient_key:
        raise KeyWrong(
            f"the release was made for the key {manifest.recipient_key[:16]}..., this "
            f"secret key belongs to {found[:16]}..."
        )


def check(
    path: Path, manifest: Manifest, *, secret_key: bytes | None, sink: Sink | None
) -> FileHolds:
    """Check a file and, with a secret key, what is inside.

    Raises what stands under ReleaseRefused, NothingChecked.
    """
    if secret_key is not None:
        check_key(secret_key, manifest)
    try:
        with path.open("rb") as file:
            size, digest = _digest(file)
            for named in manifest.files:
                if named.sha256_cipher == digest and named.size_bytes == size:
                    _check_name(path.name, named, manifest)
                    if secret_key is not None:
                        file.seek(0)
                        _check_inside(file, named, secret_key, sink)
                    return FileHolds(named=named, opened=secret_key is not None)
                if named.sha256_plain == digest:
                    raise FileNotNamed(
                        f"it is what is inside {words.shown(named.name)}, opened: give "
                        "the encrypted file, and the secret key to check the inside"
                    )
            file.seek(0)
            raise _refusal(path.name, file, size, manifest, secret_key)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NothingChecked(f"cannot read {path}: {reason}") from error


def _check_name(name: str, named: NamedFile, manifest: Manifest) -> None:
    """Let a file have any name but that of another file of the release."""
    if name != named.name and any(name == each.name for each in manifest.files):
        raise FileMisnamed(
            f"it is {words.shown(named.name)} of this release, under the name "
            f"{words.shown(name)}"
        )


def _digest(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_READ_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _check_inside(
    file: IO[bytes], named: NamedFile, secret_key: bytes, sink: Sink | None
) -> None:
    """Open a file whose bytes are right: what is inside must be right as well."""
    try:
        ciphers = _ciphers(file, secret_key)
    except CryptInvalid as error:
        raise HeaderChanged(
            "the file is the one that was named, and does not open for the key it was "
            f"made for: {error}"
        ) from error
    found = _open(file, ciphers, sink)
    if found.closed:
        raise SegmentForged(
            "the file is the one that was named, and its segment "
            f"{found.closed[0] + 1} does not open"
        )
    if found.digest != named.sha256_plain or found.segments != named.segments:
        raise PlaintextDiffers(
            f"the file is the one that was named; what is inside ({found.segments} "
            f"segments) is not what the manifest names ({named.segments})"
        )


def _refusal(
    name: str,
    file: IO[bytes],
    size: int,
    manifest: Manifest,
    secret_key: bytes | None,
) -> FileRefused:
    """Return what is wrong with a file that is none of those named."""
    meant = [one for one in manifest.files if one.name == name] or [
        one for one in manifest.files if one.size_bytes == size
    ]
    if len(meant) != 1:
        return FileNotNamed(
            f"the manifest of {words.shown(manifest.release)} names no file "
            f"{words.shown(name)}, and none with these bytes (if it was renamed, give "
            "it its own name: more can be told then)"
        )
    (named,) = meant
    broken = _broken_header(file.read(HEADER_BYTES))
    if broken is not None and size >= HEADER_BYTES:
        return broken
    if secret_key is None or size < HEADER_BYTES:
        return _by_size(size, named)
    file.seek(0)
    return _by_opening(file, size, named, secret_key)


def _broken_header(head: bytes) -> HeaderChanged | None:
    """Say what can be seen of a header without any key."""
    expected = header.MAGIC + b"".join(
        number.to_bytes(4, "little")
        for number in (header.VERSION, 1, HEADER_BYTES - 16, 0)
    )
    if head[: len(expected)] == expected:
        return None
    if head[:8] != header.MAGIC:
        return HeaderChanged("the file does not begin as a Crypt4GH file does")
    return HeaderChanged(
        "its header is not the one of a release, which gives one data key to one "
        "recipient and nothing else"
    )


def _by_size(size: int, named: NamedFile) -> FileRefused:
    what = f"{words.shown(named.name)} must have {named.size_bytes} bytes, this has"
    if size < named.size_bytes:
        at_edge = (size - HEADER_BYTES) % segments.SEALED_BYTES == 0
        where = ", and ends at the edge of a segment" if at_edge else ""
        return FileTruncated(
            f"{what} {size}{where}: its end is missing, or something within"
        )
    if size > named.size_bytes:
        return FileExtended(f"{what} {size}: something was added")
    return FileChanged(
        f"this has the size of {words.shown(named.name)} and not its bytes (with the "
        "secret key it can be told what was changed)"
    )


def _by_opening(
    file: IO[bytes], size: int, named: NamedFile, secret_key: bytes
) -> FileRefused:
    try:
        ciphers = _ciphers(file, secret_key)
    except CryptInvalid as error:
        return HeaderChanged(
            "its header does not give a data key to the recipient of the release: it "
            f"was changed, or made for somebody else ({error})"
        )
    found = _open(file, ciphers, None)
    # Where something was cut off or added, the segment at the end does not open.
    last = min(found.segments, named.segments) - 1
    within = found.segments if size == named.size_bytes else max(last, 0)
    forged = [one for one in found.closed if one < within]
    if named.segments == 1 and forged:
        return FileChanged(
            "its header gives a data key under which its only segment does not open: "
            "the segment was changed, or the two are not of one file"
        )
    if within and len(forged) == within:
        return HeaderChanged(
            "its header gives a data key under which no segment opens: header and "
            "segments are not of one file"
        )
    if forged:
        return SegmentForged(
            f"segment {forged[0] + 1} of {found.segments} does not open under the data "
            "key of this file: it was changed, or comes from another file"
        )
    if size < named.size_bytes:
        return _short(found, named)
    if size > named.size_bytes:
        return FileExtended(
            f"there are {found.segments} segments and {size} bytes, the manifest names "
            f"{named.segments} and {named.size_bytes}: something was added"
        )
    if found.digest == named.sha256_plain:
        return FileChanged(
            "what is inside is what the manifest names, and was encrypted anew: these "
            "are not the bytes of the release"
        )
    return SegmentsMoved(
        "every segment opens, and together they are not the file: segments were "
        "swapped, or one stands in the place of another"
    )


def _short(found: _Opened, named: NamedFile) -> FileTruncated:
    if found.closed:
        return FileTruncated(
            f"it ends within segment {found.segments} of {named.segments}"
        )
    how = f"every segment opens, and there are {found.segments} of {named.segments}"
    if not found.segments or found.last_bytes == segments.PLAIN_BYTES:
        return FileTruncated(f"{how}: it was cut at the edge of a segment")
    return FileTruncated(f"{how}: one was taken out, or this is another file")


def _ciphers(file: IO[bytes], secret_key: bytes) -> list[ChaCha20Poly1305]:
    return [ChaCha20Poly1305(key) for key in header.read_header(file, secret_key)]


def _open(
    file: IO[bytes], ciphers: list[ChaCha20Poly1305], sink: Sink | None
) -> _Opened:
    """Try every segment, in constant memory but for the numbers of those closed."""
    found, digest = _Opened(), hashlib.sha256()
    while segment := read_full(file, segments.SEALED_BYTES):
        try:
            plain = segments.unseal(ciphers, segment, found.segments)
        except CryptInvalid:
            found.closed.append(found.segments)
        else:
            digest.update(plain)
            found.last_bytes = len(plain)
            if sink is not None:
                sink.take(plain)
        found.segments += 1
    found.digest = digest.hexdigest()
    return found
