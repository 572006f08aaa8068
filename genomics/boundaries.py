"""Where a release may look: requested regions, withheld spans, spans closed to all.

A record counts as inside a span when any base that it touches is (`genomics.extent`).
Coordinates of the build hold only on contigs of the build; on any other contig a donor
who withholds something is masked, and a span closed to all closes it.
"""

import bisect
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence

from genomics.contig_names import ContigNames
from genomics.extent import Locus, Site
from genomics.header import known_build
from genomics.intervals import SpanIndex
from genomics.job import SubsetJob
from genomics.jsonfields import Span


class Boundaries:
    """Answers for the sites of one job; donors are column numbers of the output."""

    def __init__(
        self,
        job: SubsetJob,
        columns: Mapping[str, int],
        source_lengths: Mapping[str, int | None],
    ) -> None:
        self._names = ContigNames(known_build(job.build), source_lengths)
        self._keys: dict[str, tuple[str, bool]] = {}
        self._edges: dict[tuple[str, int | None], list[int]] = {}
        self._requested = None if job.regions is None else self._index(job.regions)
        self._closed = self._index(job.excluded_regions)
        self._withheld = {
            columns[name]: self._index(spans)
            for name, spans in job.withheld.items()
            if spans
        }
        self._any_withheld = self._index(
            span for spans in job.withheld.values() for span in spans
        )

    @property
    def has_spans(self) -> bool:
        """Whether the job has any span, so that the place of a site matters."""
        return bool(
            self._requested is not None or self._closed.contigs or self._withheld
        )

    def is_requested(self, site: Site) -> bool:
        """Whether the site touches a requested region."""
        if self._requested is None:
            return True
        return self._touches(self._requested, site, unplaced=False)

    def is_closed(self, site: Site) -> bool:
        """Whether the site touches a span that is closed to all."""
        if not self._closed.contigs:
            return False
        return self._touches(self._closed, site, unplaced=True)

    def withheld_by(
        self, site: Site, among: Collection[int] | None = None
    ) -> frozenset[int]:
        """Return the donors (of those `among`) whose withheld spans it touches."""
        if not self._may_be_withheld(site):
            return frozenset()
        return frozenset(
            column
            for column, spans in self._withheld.items()
            if (among is None or column in among)
            and self._touches(spans, site, unplaced=True)
        )

    def stretch(self, contig: str, pos: int, column: int) -> int:
        """Return the number of the stretch of a contig that a POS (1-based) lies in.

        Stretches end where a span begins or ends that the donor of the column
        withholds, that is closed to all or that was not requested. Two sites with the
        same number have no such span between them.
        """
        if column not in self._withheld:
            edges = self._edges.get((contig, None))
        else:
            edges = self._edges.get((contig, column))
        if edges is None:
            key, _ = self._place(contig)
            withheld = self._withheld.get(column)
            spans = [self._closed, self._requested, withheld]
            edges = sorted(edge for each in spans if each for edge in each.edges(key))
            self._edges[contig, None if withheld is None else column] = edges
        return bisect.bisect_right(edges, max(pos - 1, 0))

    def scan(
        self, contig: str, firsts: Sequence[int], lasts: Sequence[int]
    ) -> tuple[list[bool], list[bool]]:
        """Whether sites of one contig touch what is requested, and what is kept back.

        Kept back: withheld by anyone, or closed to all. For sites that reach from a
        first to a last base (1-based, inclusive), and nowhere else.
        """
        key, is_placed = self._place(contig)
        if min(firsts, default=1) < 1:
            # A telomere stands before the first base, and counts as it.
            firsts, lasts = (
                [max(base, 1) for base in each] for each in (firsts, lasts)
            )

        def touch(spans: SpanIndex, *, unplaced: bool) -> list[bool]:
            if not is_placed and key not in spans.contigs:
                return [unplaced] * len(firsts)
            return spans.overlap_each(key, firsts, lasts)

        requested, kept_back = [True] * len(firsts), [False] * len(firsts)
        if self._requested is not None:
            requested = touch(self._requested, unplaced=False)
        if self._closed.contigs:
            kept_back = touch(self._closed, unplaced=True)
        if self._withheld:
            withheld = (
                touch(self._any_withheld, unplaced=True)
                if is_placed
                else [True] * len(firsts)
            )
            kept_back = list(map(operator.or_, kept_back, withheld))
        return requested, kept_back

    def _may_be_withheld(self, site: Site) -> bool:
        """Whether the site touches what any donor withholds; cheap, and no less."""
        if not self._withheld:
            return False
        # One donor's span on a contig outside the build says nothing of the others'.
        contigs = (contig for contig, _, _ in site.loci)
        return not all(self._place(name)[1] for name in contigs) or self._touches(
            self._any_withheld, site, unplaced=True
        )

    def _touches(self, spans: SpanIndex, site: Site, *, unplaced: bool) -> bool:
        return any(
            self._touches_locus(spans, locus, unplaced=unplaced) for locus in site.loci
        )

    def _touches_locus(self, spans: SpanIndex, locus: Locus, *, unplaced: bool) -> bool:
        contig, start_0, end = locus
        key, is_placed = self._place(contig)
        if not is_placed and key not in spans.contigs:
            return unplaced
        return spans.overlaps(key, start_0, end)

    def _place(self, contig: str) -> tuple[str, bool]:
        # -> (name to look up, whether the build's coordinates hold on it)
        place = self._keys.get(contig)
        if place is None:
            is_placed = self._names.is_placed(contig)
            place = (self._key(contig) if is_placed else contig), is_placed
            self._keys[contig] = place
        return place

    def _key(self, contig: str) -> str:
        return self._names.chromosome(contig) or contig

    def _index(self, spans: Iterable[Span]) -> SpanIndex:
        return SpanIndex(
            (self._key(contig), start_0, end) for contig, start_0, end in spans
        )
