"""Check an uploaded VCF and rewrite it as the canonical store.

An upload is plain text, gzip or BGZF, of VCF 4.0 to 4.5. It is read once, from start to
end, in memory that does not grow with its records; it is never sorted and never opened
by htslib, nor is any index that came with it. What is refused is refused with a code of
`genomics.uploads.refusal`, a line and a column. The store holds every record of the
upload as it came, under a header that declares all it uses.

Runs in the child process (`python -m genomics`). Who may upload, and which donor a
sample is, is left to others.
"""

from collections.abc import Iterator

from genomics import builds
from genomics.builds import Build
from genomics.errors import IntakeRefused
from genomics.job import IntakeJob, IntakeResult, Progress, ProgressSink
from genomics.uploads import text
from genomics.uploads.header import Header
from genomics.uploads.records import RecordReader
from genomics.uploads.refusal import refusal
from genomics.uploads.store import Expected, StoreWriter
from genomics.uploads.text import Batch
from genomics.uploads.unpack import Unpacker

MAX_WARNINGS = 100


def run(job: IntakeJob, progress: ProgressSink) -> IntakeResult:
    """Write the store of `job` and its index; return what the upload holds.

    Raises IntakeRefused if the upload is unsound, and then leaves nothing behind.
    """
    with job.source.open("rb") as file, StoreWriter(job.store) as store:
        unpacker = Unpacker(file, job.limits)
        chunks = unpacker.chunks()
        reader = _Reader(job, text.batches(chunks, job.limits))
        try:
            for records in reader.records():
                store.write(records)
                progress(
                    Progress(
                        records=reader.count,
                        records_total=None,
                        bytes=unpacker.bytes_read,
                    )
                )
        except IntakeRefused as refused:
            if damage := unpacker.damage(chunks):
                place = (refused.line or 1, refused.column)
                raise text.refusal_at(damage, *place) from refused
            raise
        header, counts = reader.header, reader.contig_counts()
        expected = Expected(
            samples=header.samples,
            contigs=tuple(counts),
            records=reader.count,
            first_line=reader.header_lines + 1,
        )
        digest = store.finish(header.lines(), expected)
        size_bytes = job.store.stat().st_size
    return IntakeResult(
        samples=header.samples,
        records=reader.count,
        contigs=tuple(
            (name, length, counts.get(name, 0))
            for name, length in header.contigs.items()
        ),
        sha256_source=unpacker.sha256,
        sha256_store=digest,
        sha256_columns=store.sha256_columns,
        size_bytes=size_bytes,
        warnings=_shortened(reader.warnings()),
        megabases=store.megabases,
    )


class _Reader:
    """Takes the lines of an upload: first the header's, then the records'."""

    def __init__(self, job: IntakeJob, batches: Iterator[Batch]) -> None:
        self.header = Header(_build(job), job.limits)
        self.header_lines = 0
        self._limits = job.limits
        self._batches = batches
        self._records: RecordReader | None = None
        self._blank_line: int | None = None
        self._number = 0

    @property
    def count(self) -> int:
        """Return how many records have been read."""
        return self._records.count if self._records else 0

    def contig_counts(self) -> dict[str, int]:
        """Return how many records each contig has."""
        return self._records.contig_counts() if self._records else {}

    def warnings(self) -> list[str]:
        """Return what the steward should know, though nothing is refused for it."""
        found = list(self.header.warnings)
        if not self.count:
            found.append("the file holds no records")
        stated = [
            (name, length)
            for name, length in self.header.contigs.items()
            if length is not None and builds.chromosome(name) not in (None, "MT")
        ]
        if not stated:
            found.append(
                "the file states no length of a chromosome: nothing proves its build"
            )
        elif builds.detect_build(stated) is None:
            found.append("the lengths of its chromosomes are those of no known build")
        return found

    def records(self) -> Iterator[list[bytes]]:
        """Yield the records in canonical form, many at a time."""
        for batch in self._batches:
            done: list[bytes] = []
            for number, line in enumerate(batch.lines, start=batch.first):
                try:
                    self._take(line, number, done)
                except IntakeRefused as refused:
                    if self._records is not None:
                        self._records.check_held()
                    if batch.is_unfinished and self._is_cut(line, refused):
                        raise _cut_short(number, line) from refused
                    raise
            if self._records is not None:
                self._records.check_held()
            if done:
                yield done
        if self._records is None:
            raise refusal(
                "header-missing",
                "expected the line of column names that begins with #CHROM, "
                "the file ends before it",
                self._number + 1,
            )
        self._records.finish()

    def _take(self, line: bytes, number: int, done: list[bytes]) -> None:
        self._number = number
        if not line:
            self._blank_line = self._blank_line or number
            return
        # Empty lines at the very end are common, and mean nothing.
        if self._blank_line is not None:
            raise refusal(
                "blank-line",
                "expected a record or a header line, got an empty line",
                self._blank_line,
            )
        if self._records is not None:
            done.append(self._records.read(line, number))
            return
        self.header.read(line, number)
        if self.header.is_complete:
            self.header_lines = number
            self._records = RecordReader(self.header, self._limits)

    def _is_cut(self, line: bytes, refused: IntakeRefused) -> bool:
        """Whether the last line, without a newline, is refused for what it lacks."""
        if self._records is None:
            return refused.code in ("version", "header-line", "column-header")
        first_missing = line.count(b"\t") + 2
        return refused.code == "column-count" and refused.column == first_missing


def _cut_short(number: int, line: bytes) -> IntakeRefused:
    return refusal(
        "truncated",
        "expected the rest of the line, the file ends inside it: it was cut short",
        number,
        line.count(b"\t") + 1,
    )


def _build(job: IntakeJob) -> Build | None:
    for build in builds.BUILDS:
        if build == job.build:
            return build
    return None


def _shortened(warnings: list[str]) -> tuple[str, ...]:
    if len(warnings) <= MAX_WARNINGS:
        return tuple(warnings)
    more = len(warnings) - MAX_WARNINGS
    return (*warnings[:MAX_WARNINGS], f"and {more} more warnings")
