"""Arrays of 64-bit numbers as files have them: little-endian."""

import sys
from array import array

BYTES = 8  # of each


def pack(numbers: "array[int]") -> bytes:
    """Return the bytes of numbers."""
    return _swapped(numbers).tobytes()


def unpack(data: bytes) -> "array[int]":
    """Return the signed numbers ("q") of so many whole ones."""
    return _swapped(array("q", data))


def _swapped(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
