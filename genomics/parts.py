"""Write the compressed records of a release window by window, and join the windows.

A part is a run of BGZF blocks of one window and says where each record lies in it.
Which records there are is left to others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from genomics import bgzf, tabix
from genomics.crypt4gh.reading import Pieces
from genomics.header import Usage
from genomics.subset import Cut

# Starts, ends, opening and closing offsets, as in `tabix.Places`.
_Placed = tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]
]

_FLUSH_BYTES = 16 * bgzf.BLOCK_BYTES
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
    table: NDArray[np.int64]  # n x 3
    sizes: NDArray[np.int64]
    withheld: int
    closed: int
    start: int = 0

    @property
    def records(self) -> int:
        return len(self.table)

    @property
    def text_bytes(self) -> int:
        return int(self.table[:, 2].sum())


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
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._sizes: list[int] = []
        self._table: list[tuple[int, int, int]] = []
        self._withheld = 0
        self._closed = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, cuts: Iterable[Cut]) -> None:
        """Take some records; those that are closed to all are counted."""
        for pos, _, _, text, end, withheld in cuts:
            size = len(text)
            if not size:
                self._closed += 1
                continue
            self._table.append((pos, end, size))
            self._withheld += withheld
            self._pending.append(text)
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
            table=np.array(self._table, np.int64).reshape(-1, 3),
            sizes=np.array(self._sizes, np.int64),
            withheld=self._withheld,
            closed=self._closed,
        )

    def _flush(self, *, is_last: bool) -> None:
        text = memoryview(b"".join(self._pending))
        whole = len(text) if is_last else len(text) - len(text) % bgzf.BLOCK_BYTES
        packed = list(bgzf.blocks(text[:whole], self._level))
        self._sizes += map(len, packed)
        self._file.writelines(packed)
        self._pending = [bytes(text[whole:])]
        self._pending_bytes = len(text) - whole


def index_of(parts: Iterable[Part], header_bytes: int) -> Iterator[tabix.Places]:
    """Yield the places of the records, contig by contig, behind a header of this size.

    Parts of a contig stand together, in order; those without records are passed over.
    """
    base = header_bytes
    contig, found = "", list[_Placed]()
    for part in parts:
        if not part.records:
            continue
        if part.contig != contig and found:
            yield _joined(contig, found)
            found = []
        contig = part.contig
        found.append(_placed(part, base))
        base += int(part.sizes.sum())
    if found:
        yield _joined(contig, found)


def _placed(part: Part, base: int) -> _Placed:
    starts = base + np.concatenate(([0], np.cumsum(part.sizes)))
    edges = np.concatenate(([0], np.cumsum(part.table[:, 2])))
    opens = bgzf.virtual_offsets(edges[:-1], starts[:-1])
    closes = np.append(opens[1:], np.uint64(starts[-1] << 16))
    # A telomere stands at 0, before the first base, where an index has no place.
    pos = np.maximum(part.table[:, 0], 1)
    return pos - 1, np.maximum(part.table[:, 1], pos), opens, closes


def _joined(contig: str, found: list[_Placed]) -> tabix.Places:
    starts_0, ends, opens, closes = map(np.concatenate, zip(*found, strict=True))
    return tabix.Places(
        contig=contig, starts_0=starts_0, ends=ends, opens=opens, closes=closes
    )


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
            left = int(part.sizes.sum())
            with part.path.open("rb") as file:
                file.seek(part.start)
                while data := file.read(min(left, _READ_BYTES)):
                    left -= len(data)
                    yield data
        yield bgzf.END

    def read(self, size: int, /) -> bytes:
        """Return the next bytes: `size` of them, or fewer; none at the end."""
        return self._stream.read(size)
