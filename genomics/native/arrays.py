"""The compiled library, and arrays to hand over to it."""

import ctypes
from array import array
from pathlib import Path

library = ctypes.CDLL(str(Path(__file__).with_name("libnative.so")))


def numbers(count: int) -> "array[int]":
    """Return so many 64-bit zeros."""
    return array("q", bytes(8 * count))


def start(held: "array[int] | bytearray") -> int:
    """Return where an array begins in memory, until it is resized or gone."""
    if isinstance(held, array):
        address, _ = held.buffer_info()
        return address
    return ctypes.addressof(ctypes.c_char.from_buffer(held)) if held else 0
