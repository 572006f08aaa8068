"""Read the lines of an upload: first the header's, then the records'.

After a fault the rest is read for up to 20 faults, so that a steward can repair all of
them at once; no more records are handed on then.
"""

from collections.abc import Iterator
from typing import NamedTuple

from genomics import builds
from genomics.builds import Build
from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.faults import Faults
from genomics.uploads.header import Header
from genomics.uploads.records import RecordReader
from genomics.uploads.refusal import refusal
from genomics.uploads.text import Batch

# After these faults the rest cannot be read.
_LAST_CODES = (
    "version",
    "header-length",
    "header-missing",
    "column-header",
    "no-samples",
    "sample-name",
    "sample-duplicate",
    "too-many-samples",
    "too-many-contigs",
    "too-many-records",
)


class Lines(NamedTuple):
    """Records in canonical form; all on one contig if that is a part of X."""

    records: list[bytes]
    part: str | None


class UploadReader:
    """Takes the batches of lines of one upload."""

    def __init__(
        self, batches: Iterator[Batch], build: Build | None, limits: Limits
    ) -> None:
        self.header = Header(build, limits)
        self.header_lines = 0
        self.faults = Faults()
        self._limits = limits
        self._batches = batches
        self._records: RecordReader | None = None
        self._blank_line: int | None = None
        self._number = 0
        self._is_over = False

    @property
    def count(self) -> int:
        """Return how many records have been read."""
        return self._records.count if self._records else 0

    def contig_counts(self) -> dict[str, int]:
        """Return how many records each contig of the store has."""
        return self._records.contig_counts() if self._records else {}

    def carrier_counts(self) -> dict[str, int]:
        """Return how many records tell their carriers by which field."""
        return self._records.carrier_counts() if self._records else {}

    def warnings(self) -> list[str]:
        """Return what the steward should know, though nothing is refused for it."""
        warnings = self._records.warnings() if self._records else []
        warnings += self.header.warnings
        if not self.count:
            warnings.append("the file holds no records")
        stated = [
            (name, length)
            for name, length in self.header.contigs.standard_lengths().items()
            if length is not None and builds.chromosome(name) not in (None, "MT")
        ]
        if not stated:
            warnings.append(
                "the file states no length of a chromosome: nothing proves its build"
            )
        elif builds.detect_build(stated) is None:
            warnings.append(
                "the lengths of its chromosomes are those of no known build"
            )
        return warnings

    def records(self) -> Iterator[Lines]:
        """Yield the records, many at a time; empty ones once there are `faults`."""
        try:
            for batch in self._batches:
                yield from self._read_batch(batch)
                if self._is_over or self.faults.is_full:
                    return
        except IntakeRefused as refused:  # of the text, or of its packing
            self.faults.add([refused])
            return
        if self._records is None:
            self.faults.add(
                [
                    refusal(
                        "header-missing",
                        "expected the line of column names that begins with #CHROM, "
                        "got the end of the file before it",
                        self._number + 1,
                    )
                ]
            )
            return
        self.faults.add(self._records.finish())

    def _read_batch(self, batch: Batch) -> Iterator[Lines]:
        current = Lines([], None)
        groups = [current]
        for number, line in enumerate(batch.lines, start=batch.first):
            try:
                record = self._take(line, number)
            except IntakeRefused as refused:
                if batch.is_unfinished and self._is_cut(line, refused):
                    refused = _cut_short(number, line)
                self._add(refused)
                if self._is_over or self.faults.is_full:
                    break
                continue
            if record is None:
                continue
            assert self._records is not None, "it has just read one"
            if self._records.part != current.part:
                current = Lines([], self._records.part)
                groups.append(current)
            current.records.append(record)
        if self._records is not None:
            self.faults.add(self._records.check_held())
        if self.faults:
            yield Lines([], None)
            return
        yield from (group for group in groups if group.records)

    def _take(self, line: bytes, number: int) -> bytes | None:
        """Return the record of a line, None if it has none."""
        self._number = number
        if not line:
            self._blank_line = self._blank_line or number
            return None
        # Empty lines at the very end are common, and mean nothing.
        if self._blank_line is not None:
            blank_line, self._blank_line = self._blank_line, None
            self._add(
                refusal(
                    "blank-line",
                    "expected a record or a header line, got an empty line",
                    blank_line,
                )
            )
        if self._records is not None:
            if line.startswith((b"##", b"#CHROM")):
                self._is_over = True
                raise _second_header(line, number)
            return self._records.read(line, number)
        try:
            self.header.read(line, number)
        finally:
            self.faults.add(self.header.faults)
            self.header.faults = []
        if self.header.is_complete:
            self.header_lines = number
            self._records = RecordReader(self.header, self._limits)
        return None

    def _add(self, refused: IntakeRefused) -> None:
        self.faults.add([refused])
        self._is_over |= refused.code in _LAST_CODES

    def _is_cut(self, line: bytes, refused: IntakeRefused) -> bool:
        """Whether the last line, without a newline, is refused for what it lacks."""
        if self._records is None:
            return refused.code in ("version", "header-line", "column-header")
        first_missing = line.count(b"\t") + 2
        return refused.code == "column-count" and refused.column == first_missing


def _second_header(line: bytes, number: int) -> IntakeRefused:
    message = (
        "expected a record, got a second header: the file was made of several with "
        "`cat`; join them with `bcftools concat`"
    )
    if line.startswith(b"##"):
        return refusal("column-count", message, number, line.count(b"\t") + 2)
    return refusal("contig-name", message, number, 1)


def _cut_short(number: int, line: bytes) -> IntakeRefused:
    return refusal(
        "truncated",
        "expected the rest of the line, got the end of the file: it was cut short",
        number,
        line.count(b"\t") + 1,
    )
