"""Put what is left of a store's records in order: by contig, POS, REF and ALT.

In that order their phase sets are numbered.
"""

import heapq
from collections.abc import Callable, Iterator

from genomics.errors import BuildFailed
from genomics.phase_sets import PhaseSets
from genomics.store import Store
from genomics.subset import Cut, Subsetter


def ordered(
    store: Store, subsetter: Subsetter, on_record: Callable[[], None]
) -> Iterator[tuple[str, Cut]]:
    """Yield contigs and what is left of their records, ready to be written.

    `on_record` is called for each record that is read.
    """
    sets = PhaseSets()
    for contig, cut in _in_order(store, subsetter, on_record):
        yield contig, cut.finished(contig, sets)


def _in_order(
    store: Store, subsetter: Subsetter, on_record: Callable[[], None]
) -> Iterator[tuple[str, Cut]]:
    """Yield the same with phase sets named as in the source.

    Reducing a record can only move its POS to the right, so a record may leave once
    the source has come past it.
    """
    waiting: list[Cut] = []
    seen: set[str] = set()
    contig, last = "", -1
    for text in store.records():
        on_record()
        here, pos = _place(text, store.line)
        if here != contig:
            while waiting:
                yield contig, heapq.heappop(waiting)
            if here in seen:
                raise BuildFailed("order", "expected contigs in one piece", store.line)
            seen.add(here)
            contig, last = here, -1
        if pos < last:
            raise BuildFailed("order", "expected positions in order", store.line)
        last = pos
        while waiting and waiting[0].pos < pos:
            yield contig, heapq.heappop(waiting)
        cut = subsetter.cut(text, store.line)
        if cut is not None:
            heapq.heappush(waiting, cut)
    while waiting:
        yield contig, heapq.heappop(waiting)


def _place(text: str, line: int) -> tuple[str, int]:
    columns = text.split("\t", 2)
    if len(columns) < 3 or not (columns[1].isascii() and columns[1].isdigit()):
        raise BuildFailed("position", "expected a whole number as POS", line)
    return columns[0], int(columns[1])
