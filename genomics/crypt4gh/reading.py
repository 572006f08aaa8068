"""Read from streams that may give less than was asked for, as pipes and sockets do."""

from typing import Protocol


class Readable(Protocol):
    """What a stream must do here: give up to `size` bytes, none at its end."""

    def read(self, size: int, /) -> bytes | None: ...


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
