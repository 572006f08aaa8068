"""Write the compressed records of a release window by window, and join the windows.

A part is a run of BGZF blocks of one window and says where each record lies in it.
Which records there are is left to others.
"""

import itertools
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from genomics import bgzf, tabix
from genomics.crypt4gh.reading import Pieces
from genomics.header import Usage
from genomics.native import indexing
from genomics.subset import Cut

# What a processor's cache holds.
_FLUSH_BYTES = 4 * bgzf.BLOCK_BYTES
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The records of one window: n of them in a file of BGZF blocks without an end.

    The blocks begin at `start` of the file. `table` holds POS (1-based), the last base
    of the site and the bytes of text of each record; `sizes` those of each block,
    packed. `withheld` counts genotypes, `closed` the records that are not there since
    their place is closed to all.
    """

    contig: str
    path: Path
    table: "array[int]"  # of "q": n x 3, row by row
    sizes: "array[int]"  # of "q"
    withheld: int
    closed: int
    start: int = 0

    @property
    def records(self) -> int:
        return len(self.table) // indexing.COLUMNS

    @property
    def text_bytes(self) -> int:
        return sum(self.table[2 :: indexing.COLUMNS])

    @property
    def file_bytes(self) -> int:
        return sum(self.sizes)

    @property
    def last_base(self) -> int:
        """The last base of any site; 0 without records."""
        return max(self.table[1 :: indexing.COLUMNS], default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Which of the `total` pieces of a cut something is: [first, last).

    `plan` is the SHA-256 (hex) of what the pieces are, so that pieces of two cuts are
    told apart.
    """

    plan: str
    first: int
    last: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The records of a release, or of a share of it: a part for each window, in order.

    `records_in` counts the records of the source, `contig_lengths` are the source's.
    """

    parts: Sequence[Part]
    usage: Usage
    extent: Extent
    records_in: int
    contig_lengths: Mapping[str, int | None]


class PartWriter:
    """Takes the records of one window, in order, and packs them into a file.

    `path` must not depend on the source: names of contigs are no file names.
    """

    def __init__(self, contig: str, path: Path, level: int) -> None:
        self._contig = contig
        self._path = path
        self._level = level
        self._file: BinaryIO
        self._pending: list[bytes | memoryview] = []
        self._pending_bytes = 0
        self._sizes, self._table = array("q"), array("q")
        self._withheld = 0
        self._closed = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, cuts: Iterable[Cut]) -> None:
        """Take some finished records; those that are closed to all are counted."""
        for pos, _, _, head, cells, end, withheld, unnumbered in cuts:
            assert unnumbered is None, "a record is finished before it is written"
            if not head:
                self._closed += 1
                continue
            size = len(head) + len(cells)
            self._table.extend((pos, end, size))
            self._withheld += withheld
            self._pending += (head, cells)
            self._pending_bytes += size
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush(is_last=False)

    def finish(self) -> Part:
        """Return the part, written."""
        self._flush(is_last=True)
        self._file.flush()
        return Part(
            contig=self._contig,
            path=self._path,
            table=self._table,
            sizes=self._sizes,
            withheld=self._withheld,
            closed=self._closed,
        )

    def _flush(self, *, is_last: bool) -> None:
        text = b"".join(self._pending)
        whole = len(text) if is_last else len(text) - len(text) % bgzf.BLOCK_BYTES
        packed = list(bgzf.blocks(text, self._level, whole))
        self._sizes.extend(map(len, packed))
        self._file.writelines(packed)
        self._pending = [text[whole:]]
        self._pending_bytes = len(text) - whole


def index_of(parts: Iterable[Part], header_bytes: int) -> Iterator[tabix.Contig]:
    """Yield the places of the records, contig by contig, behind a header of this size.

    Parts of a contig stand together, in order; those without records are passed over.
    """
    base = header_bytes
    for name, group in itertools.groupby(
        (part for part in parts if part.records), key=lambda part: part.contig
    ):
        places = indexing.Places(*(array("q") for _ in indexing.Places._fields))
        for part in group:
            found = indexing.place(part.table, part.sizes, base, bgzf.BLOCK_BYTES)
            for whole, more in zip(places, found, strict=True):
                whole.extend(more)
            base += part.file_bytes
        yield tabix.Contig(name, places)


class Joined:
    """A header, parts and the end of the file as one stream, which reads them anew."""

    def __init__(self, header: bytes, parts: Sequence[Part]) -> None:
        self._header = header
        self._parts = parts
        self._stream = Pieces(self)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the whole file from its start."""
        yield self._header
        for part in self._parts:
            left = part.file_bytes
            with part.path.open("rb") as file:
                file.seek(part.start)
                while data := file.read(min(left, _READ_BYTES)):
                    left -= len(data)
                    yield data
        yield bgzf.END

    def read(self, size: int, /) -> bytes:
        """Return the next bytes: `size` of them, or fewer; none at the end."""
        return self._stream.read(size)
