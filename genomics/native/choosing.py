"""Put together what chosen people have, cell by cell: `choosing.c`, called with arrays.

A row of text has a tab before each cell and a newline behind the last.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genomics.errors import BuildFailed

LIBRARY = Path(__file__).with_name("libchoosing.so")

_library = ctypes.CDLL(str(LIBRARY))
_pointer, _size = ctypes.c_void_p, ctypes.c_size_t
_library.pick.argtypes = [_pointer, _size, _size, _pointer, _size]
_library.pick.argtypes += [_pointer, _pointer, _size, _pointer, _size]
_library.pick.restype = ctypes.c_int64
_library.lay.argtypes = [_pointer, _pointer, _size, _size, _size]
_library.lay.argtypes += [_pointer, _pointer, _size, _pointer]
_library.lay.restype = ctypes.c_int64
_library.gather.argtypes = [_pointer, _pointer, _size, _pointer, _size, _pointer]
_library.gather.argtypes += [_size, _pointer, _pointer]
_library.gather.restype = None


class Rows:
    """Rows of cells that lie behind one another."""

    def __init__(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._text = text.data
        self._bounds = [0, *ends.tolist()]

    def __getitem__(self, row: int) -> memoryview:
        return self._text[self._bounds[row] : self._bounds[row + 1]]


def pick(text: bytes, rows: int, columns: int, places: NDArray[np.int64]) -> Rows:
    """Return the cells at `places` of lines of so many columns, tabs between them.

    An empty line gives an empty row. Raises BuildFailed when there are other rows, or
    a line has other columns.
    """
    out = np.empty(len(text) + 2 * rows, np.uint8)
    starts, ends = np.empty(columns + 1, np.intp), np.empty(rows, np.int64)
    _check(
        _library.pick(
            text,
            len(text),
            columns,
            places.ctypes.data,
            len(places),
            starts.ctypes.data,
            out.ctypes.data,
            len(out),
            ends.ctypes.data,
            rows,
        )
    )
    return Rows(out, ends)


def lay(texts: Sequence[bytes], first: int, last: int) -> Rows:
    """Return the lines [first, last) of texts, which have a cell a line, as rows.

    Raises BuildFailed when a text has fewer lines.
    """
    chosen = len(texts)
    sizes = np.fromiter(map(len, texts), np.uintp, chosen)
    out = np.empty(int(sizes.sum()) + chosen + 2 * (last - first), np.uint8)
    at, ends = np.empty(chosen, np.intp), np.empty(last - first, np.int64)
    _check(
        _library.lay(
            (ctypes.c_char_p * chosen)(*texts),
            sizes.ctypes.data,
            chosen,
            first,
            last,
            at.ctypes.data,
            out.ctypes.data,
            len(out),
            ends.ctypes.data,
        )
    )
    return Rows(out, ends)


def gather(
    tables: Sequence[bytes],
    widths: Sequence[int],
    rows: NDArray[np.int64],
    picked: NDArray[np.uint32],
) -> NDArray[np.uint8]:
    """Return rows x picked columns of tables of one byte a cell, side by side.

    `rows` ascend. Raises BuildFailed when a table has fewer of them.
    """
    needed = int(rows[-1]) + 1 if len(rows) else 0
    _check(
        -1
        if any(
            len(table) < needed * width
            for table, width in zip(tables, widths, strict=True)
        )
        else 0
    )
    out = np.empty((len(rows), len(picked)), np.uint8)
    row = np.empty(sum(widths), np.uint8)
    _library.gather(
        (ctypes.c_char_p * len(tables))(*tables),
        np.array(widths, np.uintp).ctypes.data,
        len(tables),
        rows.ctypes.data,
        len(rows),
        picked.ctypes.data,
        len(picked),
        row.ctypes.data,
        out.ctypes.data,
    )
    return out


def _check(rows: int) -> None:
    if rows < 0:
        raise BuildFailed(
            "store", "expected the columns as intake left them, they changed"
        )
