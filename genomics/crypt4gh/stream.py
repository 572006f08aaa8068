"""Seal and open whole Crypt4GH files as streams, in constant memory.

One data key and one writer key a file, both made here and nowhere kept. The digests
returned are what integrity rests on (see `genomics.crypt4gh.segments`); comparing them
with a signed manifest is left to the caller.
"""

import dataclasses
import hashlib
import os
import queue
import threading
from typing import IO, Self

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genomics.crypt4gh.header import DATA_KEY_BYTES, read_header, write_header
from genomics.crypt4gh.reading import Readable, read_full
from genomics.crypt4gh.segments import PLAIN_BYTES, SEALED_BYTES, seal, unseal

_IN_FLIGHT = 64  # segments


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Digests (hex) and sizes of one file, plain and sealed."""

    sha256_plain: str
    sha256_cipher: str
    size_plain: int
    size_bytes: int
    segments: int


def encrypt_stream(
    src: Readable, dst: IO[bytes], recipient_public_key: bytes
) -> Sealed:
    """Seal everything in `src` for one recipient and write it to `dst`."""
    data_key = os.urandom(DATA_KEY_BYTES)
    cipher = ChaCha20Poly1305(data_key)
    header = write_header(data_key, recipient_public_key)
    size_plain, size_bytes, segments = 0, len(header), 0
    with _Digests() as digests:
        dst.write(header)
        digests.add(b"", header)
        while plain := read_full(src, PLAIN_BYTES):
            segment = seal(cipher, plain)
            digests.add(plain, segment)
            dst.write(segment)
            size_plain += len(plain)
            size_bytes += len(segment)
            segments += 1
    return Sealed(
        sha256_plain=digests.plain.hexdigest(),
        sha256_cipher=digests.sealed.hexdigest(),
        size_plain=size_plain,
        size_bytes=size_bytes,
        segments=segments,
    )


class _Digests:
    """Digests of both sides of a file, taken beside the sealing in a thread.

    They take longer than the cipher itself.
    """

    def __init__(self) -> None:
        self.plain, self.sealed = hashlib.sha256(), hashlib.sha256()
        # Bounded: what waits here is held in memory.
        self._waiting: queue.Queue[tuple[bytes, bytes] | None] = queue.Queue(_IN_FLIGHT)
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def add(self, plain: bytes, sealed: bytes) -> None:
        self._waiting.put((plain, sealed))

    def _take(self) -> None:
        while (pair := self._waiting.get()) is not None:
            plain, sealed = pair
            self.plain.update(plain)
            self.sealed.update(sealed)


def decrypt_stream(src: Readable, dst: IO[bytes], secret_key: bytes) -> Sealed:
    """Open a file sealed for `secret_key` and write its plaintext to `dst`.

    Every segment is checked before it is written; the order and the number of segments
    are not: compare the returned digests. Raises CryptInvalid, after which `dst` may
    hold the segments before the fault.
    """
    hashing = _Hashing(src)
    ciphers = [ChaCha20Poly1305(key) for key in read_header(hashing, secret_key)]
    plain_hash = hashlib.sha256()
    size_plain = segments = 0
    while segment := read_full(hashing, SEALED_BYTES):
        plain = unseal(ciphers, segment, segments)
        dst.write(plain)
        plain_hash.update(plain)
        size_plain += len(plain)
        segments += 1
    return Sealed(
        sha256_plain=plain_hash.hexdigest(),
        sha256_cipher=hashing.digest.hexdigest(),
        size_plain=size_plain,
        size_bytes=hashing.size,
        segments=segments,
    )


class _Hashing:
    """A stream that digests what is read through it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = read_full(self._stream, size)
        self.digest.update(data)
        self.size += len(data)
        return data
