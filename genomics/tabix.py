"""Write the tabix index (.tbi) of a BGZF-compressed VCF from the places of its records.

Where records lie is known while they are written, so nothing is read again. Contigs
longer than 2^29 need a CSI index instead, which is left to htslib.
Source: "The Tabix index file format" and SAM specification, section 5.
"""

import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genomics import bgzf, numbers
from genomics.native import indexing

MAX_END = 1 << 29

_VCF = 2
# Columns of name, begin and end (0: none), the comment sign, lines to skip.
_COLUMNS = (_VCF, 1, 2, 0, ord("#"), 0)
# The bin that holds no records, but says where they lie and how many there are.
_SUMMARY_BIN = 37450


class Contig(NamedTuple):
    """The records of one contig, in file order; n > 0."""

    name: str
    places: indexing.Places


def write_index(contigs: Sequence[Contig], level: int) -> bytes:
    """Return the whole index file, compressed."""
    names = b"".join(each.name.encode("latin-1") + b"\0" for each in contigs)
    parts = [
        b"TBI\1",
        struct.pack("<8i", len(contigs), *_COLUMNS, len(names)),
        names,
        *(part for each in contigs for part in _contig(each.places)),
        struct.pack("<Q", 0),  # records without a place
    ]
    return b"".join([*bgzf.blocks(b"".join(parts), level), bgzf.END])


def _contig(places: indexing.Places) -> Iterator[bytes]:
    bins, offsets = indexing.chunks(places)
    chunks = numbers.pack(offsets)
    by_bin = [(number, len(list(group))) for number, group in itertools.groupby(bins)]
    yield struct.pack("<i", len(by_bin) + 1)
    begun = 0
    for number, count in by_bin:
        yield struct.pack("<Ii", number, count)
        yield chunks[begun : begun + 16 * count]
        begun += 16 * count
    ends = places.opens[0], places.closes[-1]
    yield struct.pack("<Ii4Q", _SUMMARY_BIN, 2, *ends, len(places.opens), 0)
    windows = indexing.reach(places)
    yield struct.pack("<i", len(windows)) + numbers.pack(windows)
