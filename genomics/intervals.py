"""Ask whether a place in the genome is inside a set of spans.

Spans are 0-based and half-open. Which names mean the same contig is decided by the
caller, who gives keys; what the answer is good for, too.
"""

import bisect
from collections.abc import Iterable, Sequence

from genomics.jsonfields import Span

# Bases of the stretches by which intake counts records.
MEGABASE = 1_000_000


class SpanIndex:
    """Spans merged by contig, so that a look-up costs one binary search.

    >>> index = SpanIndex([("17", 10, 20), ("17", 15, 30)])
    >>> index.overlaps("17", 29, 31), index.overlaps("17", 30, 31)
    (True, False)
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}
        for contig, start_0, end in sorted(spans):
            starts = self._starts.setdefault(contig, [])
            ends = self._ends.setdefault(contig, [])
            if ends and start_0 <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start_0)
                ends.append(end)

    @property
    def contigs(self) -> frozenset[str]:
        return frozenset(self._starts)

    def edges(self, contig: str) -> list[int]:
        """Return where the spans on the contig start and end, 0-based, no order."""
        return self._starts.get(contig, []) + self._ends.get(contig, [])

    def overlaps(self, contig: str, start_0: int, end: int) -> bool:
        """Whether [start_0, end) shares a base with a span on the contig."""
        starts = self._starts.get(contig)
        if starts is None:
            return False
        # The last span that begins before `end` is the only one that could reach in.
        before = bisect.bisect_left(starts, end)
        return before > 0 and self._ends[contig][before - 1] > start_0

    def overlap_each(
        self, contig: str, firsts: Sequence[int], lasts: Sequence[int]
    ) -> list[bool]:
        """Whether each of many stretches on the contig shares a base with a span.

        They go from a first to a last base, both 1-based and inclusive.
        """
        if not firsts:
            return []
        starts, ends = self._starts.get(contig, []), self._ends.get(contig, [])
        # Few spans, or none, lie where the stretches do.
        near = slice(
            bisect.bisect_right(ends, min(firsts) - 1),
            bisect.bisect_left(starts, max(lasts)),
        )
        spans = list(zip(starts[near], ends[near], strict=True))
        if not spans:
            return [False] * len(firsts)
        if len(spans) == 1:
            ((start, end),) = spans
            return [
                first <= end and last > start
                for first, last in zip(firsts, lasts, strict=True)
            ]
        return [
            self.overlaps(contig, first - 1, last)
            for first, last in zip(firsts, lasts, strict=True)
        ]
