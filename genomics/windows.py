"""The windows of the genome that a release is cut in: fixed, whatever the source holds.

A window is `WIDTH` positions of the release's own POS; each begins a BGZF block of its
own. So windows can be cut in any order, by any number of workers, and joined: the file
is the same, and no border in it tells of a record that is not there.
"""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from genomics.columnar.file import BlockPlace

WIDTH = 1 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Positions [low, high), 1-based, of a contig, and the blocks that may reach in."""

    number: int  # among the windows of the cut
    contig: str
    low: int
    high: int
    blocks: tuple[BlockPlace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of `count` shares of a cut, counted from 0."""

    number: int
    count: int

    def of(self, weights: Sequence[int]) -> tuple[int, int]:
        """Return which pieces of the cut [first, last) are this share's.

        Pieces stay in order, and a share is about as heavy as any other; where there
        are fewer pieces than shares, some are empty.

        >>> [Share(number=n, count=3).of([5, 1, 1, 1, 4]) for n in range(3)]
        [(0, 1), (1, 4), (4, 5)]
        """
        total = max(sum(weights), 1)
        # A piece belongs where its middle lies, counted in halves.
        before = itertools.accumulate(weights, initial=0)
        owners = [
            min((2 * behind + weight) * self.count // (2 * total), self.count - 1)
            for behind, weight in zip(before, weights, strict=False)
        ]
        return (
            bisect.bisect_left(owners, self.number),
            bisect.bisect_right(owners, self.number),
        )


WHOLE = Share(number=0, count=1)


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


def runs(windows: Sequence[Window]) -> list[list[Window]]:
    """Return the windows in runs, each to be cut in order by one process.

    Phase sets are numbered along a contig, so the windows of one whose blocks name
    some make one run; any other window is one by itself.
    """
    groups = []
    for _, group in itertools.groupby(windows, key=lambda window: window.contig):
        ordered = list(group)
        if any(place.names_sets for window in ordered for place in window.blocks):
            groups.append(ordered)
        else:
            groups += [[window] for window in ordered]
    return groups
