"""Read from streams that may give less than was asked for, as pipes and sockets do."""

from collections.abc import Iterable
from typing import Protocol


class Readable(Protocol):
    """What a stream must do here: give up to `size` bytes, none at its end."""

    def read(self, size: int, /) -> bytes | None: ...


class Pieces:
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes: `size` of them, or fewer; none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def read_full(source: Readable, size: int) -> bytes:
    """Return `size` bytes, or fewer only at the end of the stream.

    A short read is not an end: taking it for one cuts a file without an error.
    """
    parts = []
    left = size
    while left:
        part = source.read(left)
        if part is None:
            raise BlockingIOError("expected a blocking stream")
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
