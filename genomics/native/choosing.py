"""Put together what chosen people have, cell by cell: `choosing.c`, called with arrays.

A row of text has a tab before each cell and a newline behind the last. Numbers are
arrays of the standard library: to load numpy takes as long as many cuts do.
"""

import ctypes
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genomics.errors import BuildFailed
from genomics.native import arrays

# Of each carried row: ALT alleles 1 to 9, all alleles and samples that were called.
TALLIES = 11
CELL_BYTES = 4

_library = arrays.library
_pointer, _size = ctypes.c_void_p, ctypes.c_size_t
_library.pick.argtypes = [_pointer, _size, _size, _pointer, _size]
_library.pick.argtypes += [_pointer, _pointer, _size, _pointer, _size]
_library.pick.restype = ctypes.c_int64
_library.lay.argtypes = [_pointer, _pointer, _size, _size, _size]
_library.lay.argtypes += [_pointer, _pointer, _size, _pointer]
_library.lay.restype = ctypes.c_int64
_library.find_carried.argtypes = [_pointer, _pointer, _size, _pointer, _pointer, _size]
_library.find_carried.argtypes += [_pointer, _size, _pointer]
_library.find_carried.argtypes += [_pointer, _pointer, _pointer, _pointer]
_library.find_carried.restype = ctypes.c_int64
_library.gather.argtypes = [_pointer, _pointer, _size, _size, _pointer, _size]
_library.gather.argtypes += [_pointer, _pointer]
_library.gather.restype = None
_library.find_common.argtypes = [_pointer, _pointer, _size, _pointer, _size]
_library.find_common.argtypes += [_pointer, _size, _pointer, _pointer, _pointer]
_library.find_common.restype = None
_library.spell.argtypes = [_pointer, _size, _size, _pointer]
_library.spell.argtypes += [_pointer, _pointer, _pointer]
_library.spell.restype = None


class Rows:
    """Rows of cells that lie behind one another."""

    def __init__(self, text: bytearray, ends: "array[int]") -> None:
        self._text = memoryview(text)
        self._bounds = [0, *ends]

    def __getitem__(self, row: int) -> memoryview:
        return self._text[self._bounds[row] : self._bounds[row + 1]]


def pick(text: bytes, rows: int, columns: int, places: "array[int]") -> Rows:
    """Return the cells at `places` ("q") of lines of so many columns, by row.

    Tabs are between cells; an empty line gives an empty row. Raises BuildFailed when
    there are other rows, or a line has other columns.
    """
    out, ends = bytearray(len(text) + 2 * rows), arrays.numbers(rows)
    starts = arrays.numbers(columns + 1)
    _check(
        _library.pick(
            text,
            len(text),
            columns,
            arrays.start(places),
            len(places),
            arrays.start(starts),
            arrays.start(out),
            len(out),
            arrays.start(ends),
            rows,
        )
        == rows
    )
    # Who keeps a few cells of each row keeps no room for all.
    del out[ends[-1] if rows else 0 :]
    return Rows(out, ends)


def lay(texts: Sequence[bytes], first: int, last: int) -> Rows:
    """Return the lines [first, last) of texts, which have a cell a line, as rows.

    Raises BuildFailed when a text has fewer lines.
    """
    sizes = array("q", map(len, texts))
    out = bytearray(sum(sizes) + len(texts) + 2 * (last - first))
    at, ends = arrays.numbers(len(texts)), arrays.numbers(last - first)
    _check(
        _library.lay(
            _pointers(texts),
            arrays.start(sizes),
            len(texts),
            first,
            last,
            arrays.start(at),
            arrays.start(out),
            len(out),
            arrays.start(ends),
        )
        == last - first
    )
    return Rows(out, ends)


class Tables(NamedTuple):
    """Tables of one byte a cell, side by side, and which of their columns are chosen.

    `widths` count the columns of each table; `picked` ("I") number those of all.
    """

    texts: Sequence[bytes]
    widths: "array[int]"  # "q"
    picked: "array[int]"  # "I"

    def choose(self, rows: Sequence[int]) -> Iterator[object]:
        """Yield what the compiled functions want to know; `rows` ascend.

        Raises BuildFailed when a table has fewer rows.
        """
        needed = rows[-1] + 1 if rows else 0
        for text, width in zip(self.texts, self.widths, strict=True):
            _check(len(text) >= needed * width)
        yield from (_pointers(self.texts), arrays.start(self.widths), len(self.texts))


class Carried(NamedTuple):
    """The rows of some that a chosen person carries an ALT allele in, n of them.

    `places` number them among the rows asked about; `codes` has those of each, behind
    one another; `tallies` has `TALLIES` numbers of each.
    """

    places: Sequence[int]
    codes: bytearray
    tallies: Sequence[int]


def find_carried(
    tables: Tables, rows: Sequence[int], flags: bytes, alleles: bytes
) -> Carried:
    """Return the carried ones of `rows`, which have these flags.

    `alleles` has two numbers for each of 128 codes, 10 for a missing one. Raises
    BuildFailed when a table has fewer rows.
    """
    assert len(flags) == len(rows), "flags are given for each row"
    chosen = len(tables.picked)
    found = arrays.numbers(len(rows))
    tallies = array("i", bytes(4 * TALLIES * len(rows)))
    codes = bytearray(chosen * len(rows))
    numbers, whole = array("q", rows), bytearray(sum(tables.widths))
    count = _library.find_carried(
        *tables.choose(rows),
        arrays.start(numbers),
        flags,
        len(rows),
        arrays.start(tables.picked),
        chosen,
        alleles,
        arrays.start(whole),
        arrays.start(found),
        arrays.start(codes),
        arrays.start(tallies),
    )
    del codes[count * chosen :]
    return Carried(
        places=found[:count].tolist(),
        codes=codes,
        tallies=tallies[: count * TALLIES].tolist(),
    )


def gather(tables: Tables, row: int) -> bytearray:
    """Return a row's chosen cells; raises BuildFailed when a table has fewer rows."""
    chosen = len(tables.picked)
    cells, whole = bytearray(chosen), bytearray(sum(tables.widths))
    _library.gather(
        *tables.choose([row]),
        row,
        arrays.start(tables.picked),
        chosen,
        arrays.start(whole),
        arrays.start(cells),
    )
    return cells


def find_common(tables: Tables, rows: Sequence[int]) -> bytearray:
    """Return, by row, the bits that the cells of all chosen people have.

    Raises BuildFailed when a table has fewer rows.
    """
    common, numbers = bytearray(len(rows)), array("q", rows)
    cells, whole = bytearray(len(tables.picked)), bytearray(sum(tables.widths))
    if rows:
        _library.find_common(
            *tables.choose(rows),
            arrays.start(numbers),
            len(rows),
            arrays.start(tables.picked),
            len(tables.picked),
            arrays.start(whole),
            arrays.start(cells),
            arrays.start(common),
        )
    return common


def spell(
    codes: bytearray, is_second: bytes, first: bytes, second: bytes
) -> memoryview:
    """Return rows of codes as text, `CELL_BYTES` a cell, by a table of all 256 codes.

    A cell's tab is among its bytes. It is the second table for rows where `is_second`.
    """
    assert len(first) == len(second) == 256 * CELL_BYTES, "a cell for each code"
    rows = len(is_second)
    out = bytearray(CELL_BYTES * len(codes) + rows)
    if rows:
        chosen = len(codes) // rows
        _library.spell(
            arrays.start(codes),
            rows,
            chosen,
            is_second,
            first,
            second,
            arrays.start(out),
        )
    return memoryview(out)


def _pointers(texts: Sequence[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * len(texts))(*texts)


def _check(is_sound: bool) -> None:
    if not is_sound:
        raise BuildFailed(
            "store", "expected the columns as intake left them, they changed"
        )
