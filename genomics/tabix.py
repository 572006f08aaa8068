"""Write the tabix index (.tbi) of a BGZF-compressed VCF from the places of its records.

Where records lie is known while they are written, so nothing is read again. Contigs
longer than 2^29 need a CSI index instead, which is left to htslib.
Source: "The Tabix index file format" and SAM specification, section 5.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomics import bgzf

MAX_END = 1 << 29

_VCF = 2
# Columns of name, begin and end (0: none), the comment sign, lines to skip.
_COLUMNS = (_VCF, 1, 2, 0, ord("#"), 0)
_WINDOW_SHIFT = 14
# The bin that holds no records, but says where they lie and how many there are.
_SUMMARY_BIN = 37450
# (first bin, shift) of each level, the finest first.
_LEVELS = ((4681, 14), (585, 17), (73, 20), (9, 23), (1, 26), (0, 29))


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The records of one contig, in file order; n values each, n > 0.

    `starts_0` and `ends` are reference coordinates, 0-based and half-open; `opens` and
    `closes` are virtual file offsets.
    """

    contig: str
    starts_0: NDArray[np.int64]
    ends: NDArray[np.int64]
    opens: NDArray[np.uint64]
    closes: NDArray[np.uint64]


def write_index(contigs: Sequence[Places], level: int) -> bytes:
    """Return the whole index file, compressed."""
    names = b"".join(each.contig.encode("latin-1") + b"\0" for each in contigs)
    parts = [
        b"TBI\1",
        struct.pack("<8i", len(contigs), *_COLUMNS, len(names)),
        names,
        *(part for each in contigs for part in _contig(each)),
        struct.pack("<Q", 0),  # records without a place
    ]
    return b"".join([*bgzf.blocks(b"".join(parts), level), bgzf.END])


def bins(starts_0: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest bin that holds each span (SAM specification, reg2bin)."""
    found = np.zeros(len(starts_0), np.int64)
    last = ends - 1
    for first_bin, shift in reversed(_LEVELS):
        fits = starts_0 >> shift == last >> shift
        found = np.where(fits, first_bin + (starts_0 >> shift), found)
    return found


def _contig(places: Places) -> Iterator[bytes]:
    numbers = bins(places.starts_0, places.ends)
    order = np.argsort(numbers, kind="stable")
    sorted_bins = numbers[order]
    opens, closes = places.opens[order], places.closes[order]
    # A chunk goes on where the bin does and no whole block lies between.
    goes_on = (sorted_bins[1:] == sorted_bins[:-1]) & (
        closes[:-1] >> np.uint64(16) >= opens[1:] >> np.uint64(16)
    )
    heads = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    tails = np.concatenate((heads[1:] - 1, [len(order) - 1]))
    chunks = np.stack((opens[heads], closes[tails]), axis=1)
    distinct, counts = np.unique(sorted_bins[heads], return_counts=True)
    yield struct.pack("<i", len(distinct) + 1)
    begun = 0
    for number, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        yield struct.pack("<Ii", number, count)
        yield chunks[begun : begun + count].astype("<u8").tobytes()
        begun += count
    yield struct.pack(
        "<Ii4Q",
        _SUMMARY_BIN,
        2,
        int(places.opens[0]),
        int(places.closes[-1]),
        len(places.opens),
        0,
    )
    windows = _windows(places)
    yield struct.pack("<i", len(windows))
    yield windows.astype("<u8").tobytes()


def _windows(places: Places) -> NDArray[np.uint64]:
    """Return the offset of the first record that reaches into each 16 kb window."""
    first, last = places.starts_0 >> _WINDOW_SHIFT, (places.ends - 1) >> _WINDOW_SHIFT
    found = np.full(int(last.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(found, first, places.opens)
    for record in np.flatnonzero(last > first):
        reached = found[first[record] : last[record] + 1]
        np.minimum(reached, places.opens[record], out=reached)
    # An empty window has nothing before the next record that follows it.
    return np.minimum.accumulate(found[::-1])[::-1]
