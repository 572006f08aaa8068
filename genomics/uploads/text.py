"""Cut unpacked bytes into lines, and refuse bytes that no VCF may hold.

Lines come without their ends, LF or CRLF. What a line says is left to `header` and
`records`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.refusal import refusal

# What may stand in a text of VCF: TAB and LF, and all from the blank on but DEL.
_SOUND = b"\t\n" + bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F)
_UNSOUND = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class Batch(NamedTuple):
    """Some whole lines; `first` is the number of the first, from 1."""

    first: int
    lines: list[bytes]
    # The file ended without a newline: the one line here may have been cut short.
    is_unfinished: bool = False


def batches(chunks: Iterable[bytes], limits: Limits) -> Iterator[Batch]:
    """Yield the lines of a text, a chunk's at a time.

    Every line before a fault is yielded before the fault is raised, as IntakeRefused
    with the line and the column it stands in; that holds for faults of the packing
    underneath as well.
    """
    number = 1
    rest: list[bytes] = []  # the line that is not finished yet, in pieces
    rest_bytes = 0
    chunk_iterator = iter(chunks)
    while True:
        try:
            chunk = next(chunk_iterator, None)
        except IntakeRefused as refused:
            column = b"".join(rest).count(b"\t") + 1
            raise refusal_at(refused, number, column) from refused
        if chunk is None:
            break
        end = chunk.rfind(b"\n") + 1
        if end:
            text = b"".join([*rest, chunk[:end]])
            if b"\r" in text:  # a look for one byte is much faster than for two
                text = text.replace(b"\r\n", b"\n")
            rest, rest_bytes = [], 0
            lines = text.split(b"\n")
            lines.pop()  # what is behind the last newline: nothing
            yield from _checked(text, Batch(number, lines), limits)
            number += len(lines)
        rest.append(chunk[end:])
        rest_bytes += len(chunk) - end
        if rest_bytes > limits.line_bytes:
            raise _too_long(b"".join(rest), number, limits)
    last = b"".join(rest).removesuffix(b"\r")
    if last:
        yield from _checked(last, Batch(number, [last], is_unfinished=True), limits)


def refusal_at(refused: IntakeRefused, line: int, column: int | None) -> IntakeRefused:
    """Return the refusal with its place in the text."""
    return IntakeRefused(refused.code, refused.message, line, column)


def _checked(text: bytes, batch: Batch, limits: Limits) -> Iterator[Batch]:
    """Yield the batch, or its sound lines and then raise for the one behind them."""
    faults: list[IntakeRefused] = []
    # Three quick looks at the whole text, 1 ns a byte together; where they find
    # nothing, as in nearly every file, no line is looked at by itself.
    if text.translate(None, _SOUND):
        faults.append(_unsound(text, batch.first))
    if not text.isascii():
        faults.extend(_not_utf8(text, batch))
    if len(text) > limits.line_bytes:
        faults.extend(
            _too_long(line, batch.first + index, limits)
            for index, line in enumerate(batch.lines)
            if len(line) > limits.line_bytes
        )
    if not faults:
        yield batch
        return
    first = min(faults, key=lambda fault: (fault.line or 0, fault.column or 0))
    assert first.line is not None, "each of these faults has its line"
    sound = batch.lines[: first.line - batch.first]
    if sound:
        yield Batch(batch.first, sound)
    raise first


def _place(text: bytes, offset: int, first: int) -> tuple[int, int]:
    """Return the line and the column of the byte at `offset`."""
    line_start = text.rfind(b"\n", 0, offset) + 1
    column = text.count(b"\t", line_start, offset) + 1
    return first + text.count(b"\n", 0, offset), column


def _unsound(text: bytes, first: int) -> IntakeRefused:
    match = _UNSOUND.search(text)
    assert match is not None, "a byte outside _SOUND is one of _UNSOUND"
    line, column = _place(text, match.start(), first)
    if match[0] == b"\0":
        message = "expected text, got a NUL byte: the file is binary or damaged"
        return refusal("nul", message, line, column)
    message = f"expected text, got the control character 0x{match[0].hex()}"
    return refusal("control-character", message, line, column)


def _not_utf8(text: bytes, batch: Batch) -> list[IntakeRefused]:
    try:
        text.decode()
    except UnicodeDecodeError:
        pass
    else:
        return []
    for number, line in enumerate(batch.lines, start=batch.first):
        # Header lines are read all the same; see `header`.
        if line.isascii() or line.startswith(b"##"):
            continue
        try:
            line.decode()
        except UnicodeDecodeError as error:
            message = (
                f"expected UTF-8, got the byte 0x{line[error.start]:02x}; if the file "
                "is Latin-1, convert it with `iconv -f latin1 -t utf-8`"
            )
            column = line.count(b"\t", 0, error.start) + 1
            return [refusal("encoding", message, number, column)]
    return []


def _too_long(line: bytes, number: int, limits: Limits) -> IntakeRefused:
    return refusal(
        "line-length",
        f"expected lines of at most {limits.line_bytes} bytes, got a longer one",
        number,
        line.count(b"\t", 0, limits.line_bytes) + 1,
    )
