"""The windows of the genome that a release is cut in: fixed, whatever the source holds.

A window is `WIDTH` positions of the release's own POS; each begins a BGZF block of its
own. So windows can be cut in any order, by any number of workers, and joined: the file
is the same, and no border in it tells of a record that is not there.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from genomics.columnar.file import BlockPlace

WIDTH = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Positions [low, high), 1-based, of a contig, and the blocks that may reach in."""

    number: int  # among the windows of the cut
    contig: str
    low: int
    high: int
    blocks: tuple[BlockPlace, ...]


def number_of(pos: int) -> int:
    """Return the number of the window of a contig that a POS (1-based) lies in."""
    return (pos - 1) // WIDTH


def plan(blocks: Iterable[BlockPlace]) -> Iterator[Window]:
    """Yield the windows that these blocks reach into, in the order of the blocks."""
    contigs: dict[str, list[BlockPlace]] = {}
    for block in blocks:
        contigs.setdefault(block.contig, []).append(block)
    count = itertools.count()
    for contig, places in contigs.items():
        windows: dict[int, list[BlockPlace]] = {}
        for place in places:
            first, last = number_of(place.first_pos), number_of(place.last_end)
            for number in range(first, last + 1):
                windows.setdefault(number, []).append(place)
        for number in sorted(windows):
            low = number * WIDTH + 1
            yield Window(
                number=next(count),
                contig=contig,
                low=low,
                high=low + WIDTH,
                blocks=tuple(windows[number]),
            )
