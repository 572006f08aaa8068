"""Say where on the genome a dataset holds records, as counted by intake.

Intake counts the records that begin in each megabase. Researchers learn from it only
which regions lie outside the dataset: on a chromosome without records, or before the
first or behind the last megabase with records. Counts depend on donors whom a release
leaves out, so they are for stewards and the IRB.
"""

from collections.abc import Iterable, Sequence

from gemmule.catalog.models import DataFile, Dataset
from gemmule.catalog.selectors import accepted_files
from genomics.builds import contig_key
from genomics.intervals import MEGABASE

# Bases start_0 <= base < end of a chromosome, as requests and jobs have them.
Span = tuple[str, int, int]

_END_OF_CONTIG = 2**31


def spans_of(dataset: Dataset) -> dict[str, tuple[int, int]] | None:
    """Return, by chromosome, the stretch [start_0, end) that may hold records.

    From the first to the last megabase with records, whole; None for a dataset without
    files. A file that was taken in before megabases were counted may hold records
    everywhere on its contigs. One query.
    """
    spans: dict[str, tuple[int, int]] = {}
    files = list(_files(dataset))
    if not files:
        return None
    for file in files:
        for contig, start_0, end in _stretches(file):
            first, last = spans.get(contig, (start_0, end))
            spans[contig] = min(first, start_0), max(last, end)
    return spans


def regions_outside(
    dataset: Dataset, regions: Iterable[Sequence[object]] | None
) -> list[Span]:
    """Return the regions in which the dataset holds nothing; none for no regions.

    `regions` are those of a request, in the build of the dataset. Of a dataset without
    files nothing is known, so nothing lies outside of it. One query.
    """
    if regions is None:
        return []
    spans = spans_of(dataset)
    if spans is None:
        return []
    outside: list[Span] = []
    for contig, start_0, end in map(_span, regions):
        first, last = spans.get(contig_key(contig), (0, 0))
        if not (start_0 < last and first < end):
            outside.append((contig, start_0, end))
    return outside


def source_records(dataset: Dataset, regions: Iterable[Sequence[object]] | None) -> int:
    """Return how many records the files hold in the megabases that regions touch.

    Exact, and dependent on every donor of the dataset: show it to stewards and the IRB
    alone. Without regions it counts all records, and so it does on each contig touched
    for files that were taken in before megabases were counted. One query.
    """
    if regions is None:
        return sum(file.records or 0 for file in _files(dataset))
    touched = {
        (contig_key(contig), megabase)
        for contig, start_0, end in map(_span, regions)
        for megabase in range((start_0 + 1) // MEGABASE, end // MEGABASE + 1)
    }
    contigs = {contig for contig, _ in touched}
    count = 0
    for file in _files(dataset):
        if file.megabases:
            count += sum(
                records
                for contig, megabase, records in file.megabases
                if (contig_key(contig), megabase) in touched
            )
        else:
            count += sum(
                records
                for contig, _, records in file.contigs
                if contig_key(contig) in contigs
            )
    return count


def _files(dataset: Dataset) -> Iterable[DataFile]:
    return accepted_files(dataset).only("number", "records", "contigs", "megabases")


def _stretches(file: DataFile) -> Iterable[Span]:
    if not file.megabases:
        for contig, _, records in file.contigs:
            if records:
                yield contig_key(contig), 0, _END_OF_CONTIG
    for contig, megabase, _ in file.megabases:
        # The last base of a megabase (1-based p with p // 1,000,000) is 999,999 on.
        start = megabase * MEGABASE
        yield contig_key(contig), max(start - 1, 0), start + MEGABASE - 1


def _span(region: Sequence[object]) -> Span:
    contig, start_0, end = region
    if not (
        isinstance(contig, str) and isinstance(start_0, int) and isinstance(end, int)
    ):
        raise AssertionError("a region is kept as [contig, start_0, end]")
    return contig, start_0, end
