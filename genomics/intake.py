"""Check an uploaded VCF or BCF and rewrite it as the canonical store.

An upload is plain, gzip or BGZF, of VCF 4.0 to 4.5 or BCF 2.1 and 2.2. It is read once,
from start to end, in memory that does not grow with its records; it is never sorted and
never opened by htslib, nor is any index that came with it. What is refused is refused
with a code of `genomics.uploads.refusal`, a line and a column. The store holds every
record of the upload as it came, under a header that declares all it uses.

Runs in the child process (`python -m genomics`). Who may upload, and which donor a
sample is, is left to others.
"""

import itertools
from collections.abc import Iterator

from genomics import builds
from genomics.builds import Build
from genomics.errors import IntakeRefused
from genomics.job import IntakeJob, IntakeResult, Progress, ProgressSink
from genomics.uploads import bcf, text
from genomics.uploads.merging import Merger
from genomics.uploads.reading import UploadReader
from genomics.uploads.store import Expected, StoreWriter
from genomics.uploads.unpack import Unpacker

MAX_WARNINGS = 100
# Text that is searched for more faults after the first one, so that nobody waits for
# hours to learn of the first.
_SOUGHT_BYTES = 1 << 30


def run(job: IntakeJob, progress: ProgressSink) -> IntakeResult:
    """Write the store of `job` and its index; return what the upload holds.

    Raises IntakeRefused if the upload is unsound, and then leaves nothing behind.
    """
    with (
        job.source.open("rb") as file,
        StoreWriter(job.store) as store,
        Merger(store.write) as merger,
    ):
        unpacker = Unpacker(file, job.limits)
        chunks = unpacker.chunks()
        batches = text.batches(_as_text(chunks, job), job.limits)
        reader = UploadReader(batches, _build(job), job.limits)
        end: int | None = None
        for lines in reader.records():
            merger.take(lines.records, lines.part)
            progress(
                Progress(
                    records=reader.count,
                    records_total=None,
                    bytes=unpacker.bytes_read,
                )
            )
            if reader.faults:
                end = end or unpacker.bytes_out + _SOUGHT_BYTES
                if unpacker.bytes_out > end:
                    break
        if reader.faults:
            raise _refusal(reader, unpacker, chunks)
        merger.finish()
        header, counts = reader.header, reader.contig_counts()
        expected = Expected(
            samples=header.samples,
            contigs=tuple(counts),
            records=reader.count,
            first_line=None if merger.has_merged else reader.header_lines + 1,
        )
        digest = store.finish(header.lines(), expected)
        size_bytes = job.store.stat().st_size
    return IntakeResult(
        samples=header.samples,
        records=reader.count,
        contigs=tuple(
            (name, length, counts.get(name, 0))
            for name, length in header.contigs.standard_lengths().items()
        ),
        sha256_source=unpacker.sha256,
        sha256_store=digest,
        sha256_columns=store.sha256_columns,
        size_bytes=size_bytes,
        warnings=_shortened(reader.warnings()),
        megabases=store.megabases,
        carriers=reader.carrier_counts(),
    )


def _as_text(chunks: Iterator[bytes], job: IntakeJob) -> Iterator[bytes]:
    """Yield text as it comes, and that of a BCF."""
    start = b""
    while len(start) < len(bcf.MAGICS[0]) and (chunk := next(chunks, b"")):
        start += chunk
    every = itertools.chain([start] if start else [], chunks)
    yield from bcf.as_text(every, job.limits) if bcf.is_bcf(start) else every


def _refusal(
    reader: UploadReader, unpacker: Unpacker, chunks: Iterator[bytes]
) -> IntakeRefused:
    refused = reader.faults.refusal()
    if unpacker.packing == "gzip":
        # A fault in the text may come from damage that shows only later.
        damage = reader.faults.with_code("crc", "corrupt") or unpacker.damage(chunks)
        if damage is not None:
            return text.refusal_at(damage, refused.line or 1, refused.column)
    return refused


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
