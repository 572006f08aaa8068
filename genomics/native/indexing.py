"""Place records in a file and in an index: `indexing.c`, called with arrays.

Arrays of numbers are "q". Raises BuildFailed for numbers that are not of one file.
"""

import ctypes
from array import array
from typing import NamedTuple

from genomics.errors import BuildFailed
from genomics.native import arrays

_pointer, _size, _number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
_place, _chunk, _reach = (
    arrays.library.place,
    arrays.library.chunk,
    arrays.library.reach,
)
_place.argtypes = [_pointer, _size, _pointer, _size, _number, _number]
_place.argtypes += [_pointer, _pointer, _pointer, _pointer]
_place.restype = ctypes.c_int
_chunk.argtypes = [_pointer, _pointer, _pointer, _pointer, _size]
_chunk.argtypes += [_pointer, _pointer, _pointer, _pointer]
_chunk.restype = _number
_reach.argtypes = [_pointer, _pointer, _size, _pointer]
_reach.restype = _number

# Numbers that `records` have of each.
COLUMNS = 3
_BINS = 37450
_WINDOWS = 1 << 15


class Places(NamedTuple):
    """Where n records are: reference coordinates, 0-based and half-open, and offsets.

    A record goes from where it opens to where it closes, in virtual file offsets.
    """

    starts_0: "array[int]"
    ends: "array[int]"
    opens: "array[int]"
    closes: "array[int]"


def place(
    records: "array[int]", sizes: "array[int]", base: int, block_bytes: int
) -> Places:
    """Return the places of records, given by POS (1-based), last base, bytes of text.

    They fill blocks of so much text, which begin at `base` and have these sizes.
    """
    count = len(records) // COLUMNS
    found = Places(*(arrays.numbers(count) for _ in Places._fields))
    _check(
        _place(
            *(arrays.start(records), count, arrays.start(sizes), len(sizes)),
            *(base, block_bytes, *map(arrays.start, found)),
        )
    )
    return found


def chunks(places: Places) -> tuple["array[int]", "array[int]"]:
    """Return the chunks of a contig by bin: bins ("I"), and two offsets of each chunk.

    Ends are 2^29 at most.
    """
    count = _count(places)
    order, bins = array("I", bytes(4 * count)), array("I", bytes(4 * count))
    begins, made = array("I", bytes(4 * (_BINS + 1))), arrays.numbers(2 * count)
    known = _chunk(
        *map(arrays.start, places),
        *(count, *map(arrays.start, (order, begins, bins, made))),
    )
    _check(known)
    return bins[:known], made[: 2 * known]


def reach(places: Places) -> "array[int]":
    """Return the offset of the first record that reaches each window of 16 kb.

    An empty window has that of the next. Ends are 2^29 at most.
    """
    found = arrays.numbers(_WINDOWS)
    ends, opens = arrays.start(places.ends), arrays.start(places.opens)
    made = _reach(ends, opens, _count(places), arrays.start(found))
    _check(made)
    return found[:made]


def _count(places: Places) -> int:
    count = len(places.starts_0)
    assert all(len(each) == count for each in places), "places have a number of each"
    return count


def _check(outcome: int) -> None:
    if outcome < 0:
        raise BuildFailed("part", "expected records that lie in their blocks")
