"""Read the typed values of BCF and write them as htslib does.

A value is a byte of type (low half) and count (high half, 15 if a number follows), then
the numbers or characters. Some numbers at the bottom of each type mean a missing value
and the end of a vector that is shorter than its neighbours.

Source: VCF 4.5, sections 6.3.3 and 6.4.
"""

import math
import re
import struct
from collections.abc import Sequence

_INTEGERS = {1: "b", 2: "h", 3: "i"}
_FLOAT, _TEXT = 5, 7
_WIDTHS = {0: 0, 1: 1, 2: 2, 3: 4, _FLOAT: 4, _TEXT: 1}
MISSING_FLOAT = bytes.fromhex("0100807f")
_END_FLOAT = bytes.fromhex("0200807f")
# The eight lowest numbers of each type: missing, end of vector, six that are reserved.
_LOWEST = {1: -(2**7), 2: -(2**15), 3: -(2**31)}
_RESERVED = 8
_MISSING_TEXT = b"\x07"
_MOST_REMEMBERED = 1 << 16
# A tab or a line end inside a value would make two of it.
CONTROL_CHARACTER = re.compile(rb"[\x00-\x1f\x7f]")


class Unsound(Exception):
    """The bytes are no BCF; the text says what they are."""


class Cursor:
    """Reads typed values one after the other."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    def check_end(self) -> None:
        """Raise Unsound if bytes are left."""
        if self._at != len(self._data):
            raise Unsound("bytes behind its last value")

    def descriptor(self) -> tuple[int, int]:
        """Return the type of the next value and how many numbers or characters."""
        byte = self._take(1)[0]
        kind, size = byte & 15, byte >> 4
        if kind not in _WIDTHS:
            raise Unsound("a type that BCF does not have")
        if size == 15:
            size = self.integer()
            if size < 0:
                raise Unsound("a negative count")
        return kind, size if kind else 0

    def rows(self, kind: int, size: int, count: int) -> Sequence[bytes]:
        """Return the bytes of so many vectors."""
        width = _WIDTHS[kind] * size
        data = self._take(width * count)
        if not width:
            return [b""] * count
        return [data[at : at + width] for at in range(0, len(data), width)]

    def integers(self) -> tuple[int, ...]:
        """Return a vector of integers."""
        kind, size = self.descriptor()
        if not size:
            return ()
        if kind not in _INTEGERS:
            raise Unsound("a value of another type where integers belong")
        (row,) = self.rows(kind, size, 1)
        return struct.unpack(f"<{size}{_INTEGERS[kind]}", row)

    def integer(self) -> int:
        """Return one integer."""
        byte = self._take(1)[0]
        kind, size = byte & 15, byte >> 4
        if kind not in _INTEGERS or size != 1:
            raise Unsound("a value of another type where an integer belongs")
        row = self._take(_WIDTHS[kind])
        return int.from_bytes(row, "little", signed=True)

    def text(self) -> bytes:
        """Return a text, empty where it is missing."""
        kind, size = self.descriptor()
        if size and kind != _TEXT:
            raise Unsound("a value of another type where a text belongs")
        (row,) = self.rows(kind, size, 1)
        return _text(row)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise Unsound("a value that is longer than its record")
        self._at += size
        return taken


class Cells:
    """Writes vectors of values, and remembers those seen lately: they repeat."""

    def __init__(self, *, has_first_phase: bool) -> None:
        self._has_first_phase = has_first_phase
        self._texts: dict[tuple[int, int, bool], dict[bytes, bytes]] = {}

    def texts(
        self, rows: Sequence[bytes], kind: int, size: int, *, is_gt: bool
    ) -> list[bytes]:
        """Return the text of each vector."""
        known = self._texts.setdefault((kind, size, is_gt), {})
        texts = []
        for row in rows:
            text = known.get(row)
            if text is None:
                if is_gt and kind in _INTEGERS:
                    text = self._genotype(row, kind, size)
                else:
                    text = self.text(row, kind, size)
                if len(known) >= _MOST_REMEMBERED:
                    known.clear()
                known[row] = text
            texts.append(text)
        return texts

    def text(self, row: bytes, kind: int, size: int) -> bytes:
        """Return one vector as text."""
        if not size:
            return b"."
        if kind == _TEXT:
            return _text(row)
        if kind == _FLOAT:
            return b",".join(_floats(row))
        return b",".join(
            b"." if number is None else b"%d" % number
            for number in _numbers(row, kind, size)
        )

    def _genotype(self, row: bytes, kind: int, size: int) -> bytes:
        numbers = [number or 0 for number in _numbers(row, kind, size)]
        if not numbers:
            return b"."
        if min(numbers) < 0:
            raise Unsound("a negative allele in GT")
        marks = [b"|" if number & 1 else b"/" for number in numbers]
        alleles = [b"%d" % ((n >> 1) - 1) if n >> 1 else b"." for n in numbers]
        parts = [alleles[0]]
        for mark, allele in zip(marks[1:], alleles[1:], strict=True):
            parts += [mark, allele]
        if self._has_first_phase and self._is_explicit(marks, alleles):
            parts.insert(0, marks[0])
        return b"".join(parts)

    @staticmethod
    def _is_explicit(marks: Sequence[bytes], alleles: Sequence[bytes]) -> bool:
        # VCF 4.4, section 1.6.2: without a mark the first allele is phased if all
        # others are; one that is missing and alone is not.
        is_phased = all(mark == b"|" for mark in marks[1:])
        if len(marks) == 1 and alleles[0] == b".":
            is_phased = False
        return (marks[0] == b"|") is not is_phased


def float_text(value: float) -> bytes:
    """Return a number with six digits, as htslib prints it.

    >>> float_text(0.1), float_text(1e-7), float_text(1234567.0)
    (b'0.1', b'1e-07', b'1.23457e+06')
    """
    if math.isnan(value):
        return b"-nan" if math.copysign(1, value) < 0 else b"nan"
    return b"%g" % value


def _text(row: bytes) -> bytes:
    text = row.partition(b"\0")[0]
    if text == _MISSING_TEXT:
        return b"."
    if CONTROL_CHARACTER.search(text):
        raise Unsound("a control character in a text")
    return text


def _numbers(row: bytes, kind: int, size: int) -> list[int | None]:
    """Return the numbers up to the end of the vector, None for missing ones."""
    lowest = _LOWEST[kind]
    numbers: list[int | None] = []
    for number in struct.unpack(f"<{size}{_INTEGERS[kind]}", row):
        if number == lowest + 1:
            break
        if number != lowest and number < lowest + _RESERVED:
            raise Unsound("a reserved number")
        numbers.append(None if number == lowest else number)
    return numbers


def _floats(row: bytes) -> list[bytes]:
    texts = []
    for at in range(0, len(row), 4):
        bits = row[at : at + 4]
        if bits == _END_FLOAT:
            break
        is_missing = bits == MISSING_FLOAT
        texts.append(b"." if is_missing else float_text(struct.unpack("<f", bits)[0]))
    return texts
