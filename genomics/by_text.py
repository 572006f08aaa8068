"""Cut a release from the text of the store, record by record.

For stores without columns and for jobs that columns cannot serve; and what the columns
are held against.
"""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from genomics import mates, windows
from genomics.header import Usage
from genomics.job import Progress, ProgressSink, SubsetJob
from genomics.ordering import ordered
from genomics.parts import Body, Extent, Part, PartWriter
from genomics.store import Store
from genomics.subset import Cut, Subsetter
from genomics.survey import rows_with_mates
from genomics.windows import Share

_PROGRESS_RECORDS = 256


# Text is read from its start to its end: a cut of it is one piece.
_PLAN = hashlib.sha256(b"text").hexdigest()


def cut(job: SubsetJob, progress: ProgressSink, share: Share) -> Body:
    """Return the records of a share of the release, in parts in this directory."""
    first, last = share.of([1])
    extent = Extent(plan=_PLAN, first=first, last=last, total=1)
    if first == last:
        return Body(
            parts=(), usage=Usage(), extent=extent, records_in=0, contig_lengths={}
        )
    with closing(Store(job.source)) as store:
        subsetter = Subsetter(job, store.samples, store.contig_lengths, store.version)
        if subsetter.boundaries.has_spans:
            subsetter.decisions = mates.decide(
                rows_with_mates(job.source, subsetter), subsetter.boundaries
            )
        counter = _Counter(job, progress)
        cuts = counter.count(ordered(store, subsetter, counter.read))
        body = Body(
            parts=list(_parts(cuts, job.bgzf_level)),
            usage=subsetter.usage,
            extent=extent,
            records_in=counter.records_in,
            contig_lengths=store.contig_lengths,
        )
        counter.tell()
        return body


def _parts(cuts: Iterator[tuple[str, Cut]], level: int) -> Iterator[Part]:
    def window(found: tuple[str, Cut]) -> tuple[str, int]:
        contig, cut = found
        return contig, windows.number_of(cut.pos)

    for number, ((contig, _), group) in enumerate(itertools.groupby(cuts, key=window)):
        with PartWriter(contig, Path(f"part-{number}"), level) as writer:
            for _, cut in group:
                writer.write([cut])
            part = writer.finish()
        yield part


class _Counter:
    """Counts along what is read and what is left, and tells of it."""

    def __init__(self, job: SubsetJob, progress: ProgressSink) -> None:
        self.records_in = 0
        self._records_out = 0
        self._bytes = 0
        self._job = job
        self._progress = progress

    def read(self) -> None:
        self.records_in += 1
        if self.records_in % _PROGRESS_RECORDS == 0:
            self.tell()

    def count(self, cuts: Iterator[tuple[str, Cut]]) -> Iterator[tuple[str, Cut]]:
        for contig, cut in cuts:
            if cut.head:
                self._records_out += 1
                self._bytes += len(cut.head) + len(cut.cells)
            yield contig, cut

    def tell(self) -> None:
        self._progress(
            Progress(
                records=self.records_in,
                records_total=self._job.records_total,
                bytes=self._bytes,
                records_out=self._records_out,
            )
        )
