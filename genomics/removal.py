"""Write a store anew without some of its people, as if they had never been in it.

The new store holds what a release of everybody else could hold, and no more: alleles
that nobody else carries go, and with them records, padding and values; counts, quality
and annotations of the cohort go, because those who leave were counted in. A release cut
from it tells of the same variants and genotypes as one from the old store; an indel
inside a repeat may stand at another, equal place, where an allele that is gone made
room for it.

Runs in the child process (`python -m genomics`). Putting the new store in the place of
the old one is left to the caller.
"""

import re
from collections import Counter
from contextlib import closing

from genomics.digest import check_digest
from genomics.errors import BuildFailed, JobInvalid
from genomics.fields import FORMAT, FieldDefinition, info_fields
from genomics.header import write_header
from genomics.job import Progress, ProgressSink, SubsetJob
from genomics.lines import ENCODING, as_read, as_said
from genomics.naming_fields import FORMAT as NAMING_FORMAT
from genomics.ordering import ordered
from genomics.removal_job import RemovalJob, RemovalResult
from genomics.store import Store
from genomics.stored_info import DEFINITIONS, StoreDescriber, pair_numbers
from genomics.subset import Subsetter
from genomics.survey import rows_with_mates
from genomics.uploads.store import Expected, StoreWriter

_PROGRESS_RECORDS = 256
_FORMAT_LINE = re.compile(
    r"##FORMAT=<ID=([^,>]+),Number=([^,>]+),Type=([^,>]+),"
    r'Description="((?:[^"\\]|\\.)*)"'
)
_CONTIG_LINE, _VERSION_LINE = "##contig=", "##fileformat="
# The engine cuts for a recipient; here nothing is sealed and nobody receives.
_NOBODY = bytes(32)


def run(job: RemovalJob, progress: ProgressSink) -> RemovalResult:
    """Write the store of `job` and its index; return what it holds."""
    if job.source_sha256 is not None:
        check_digest(job.source, job.source_sha256)
    with closing(Store(job.source)) as source, StoreWriter(job.store) as store:
        leaving = {as_read(name) for name in job.without}
        staying = [name for name in source.samples if name not in leaving]
        if not staying:
            raise BuildFailed("samples", "expected somebody to stay in the store")
        cut_job = _cut_job(job, staying, source.header_lines)
        subsetter = Subsetter(
            cut_job, source.samples, source.contig_lengths, source.version
        )
        infos = info_fields(DEFINITIONS)
        subsetter.describer = StoreDescriber(
            infos,
            subsetter.usage,
            pair_numbers(rows_with_mates(job.source, subsetter)),
        )
        counter = _Counter(job, progress)
        for _, cut in ordered(source, subsetter, counter.read):
            line = cut.head + cut.cells
            store.write([line.removesuffix(b"\n")])
            counter.written(line)
        lines = _header(
            write_header(cut_job, subsetter.usage, source.contig_lengths, infos),
            source.header_lines,
            staying,
        )
        samples = tuple(as_said(name) for name in staying)
        digest = store.finish(
            [as_said(line) for line in lines],
            Expected(
                samples=samples,
                contigs=tuple(counter.contigs),
                records=counter.records,
                first_line=len(lines) + 1,
            ),
        )
    return RemovalResult(
        samples=samples,
        records=counter.records,
        contigs=tuple(
            (name, length, counter.contigs[name])
            for name, length in source.contig_lengths.items()
        ),
        sha256_store=digest,
        sha256_columns=store.sha256_columns,
        megabases=store.megabases,
    )


class _Counter:
    """Counts the records that were read, and those that were written by contig."""

    def __init__(self, job: RemovalJob, progress: ProgressSink) -> None:
        self.records = 0
        self.contigs: Counter[str] = Counter()
        self._read = 0
        self._size = 0
        self._job = job
        self._progress = progress

    def read(self) -> None:
        self._read += 1
        if self._read % _PROGRESS_RECORDS == 0:
            self._progress(
                Progress(
                    records=self._read,
                    records_total=self._job.records_total,
                    bytes=self._size,
                )
            )

    def written(self, text: bytes) -> None:
        self.records += 1
        self.contigs[text.partition(b"\t")[0].decode(ENCODING)] += 1
        self._size += len(text)


def _cut_job(job: RemovalJob, staying: list[str], header: tuple[str, ...]) -> SubsetJob:
    """Return the cut that keeps everybody who stays, in the order of the source."""
    return SubsetJob(
        source=job.source,
        # Columns are sorted by these names; source names may not be output names.
        samples=tuple(
            (as_said(name), f"S{place:07d}") for place, name in enumerate(staying)
        ),
        recipient_public_key=_NOBODY,
        output_dir=job.store.parent,
        name="store",
        build=job.build,
        filter_is_cohort_independent=job.filter_is_cohort_independent,
        format_keep=_declared(header),
    )


def _declared(header: tuple[str, ...]) -> tuple[FieldDefinition, ...]:
    """Return the FORMAT fields of the source that are on no list of ours.

    They stay, for a steward's list may name them one day. Those that such a list could
    not name go.
    """
    found: dict[str, FieldDefinition] = {}
    for line in header:
        match = _FORMAT_LINE.match(line)
        if match is None or match[1] in FORMAT or match[3] == "Flag" or match[2] == "0":
            continue
        if match[1] in NAMING_FORMAT:
            continue
        try:
            found[match[1]] = FieldDefinition(
                id=match[1],
                number=match[2],
                type=match[3],
                description=re.sub(r"\\(.)", r"\1", match[4]),
            )
        except JobInvalid:
            continue
    return tuple(found.values())


def _header(written: str, source: tuple[str, ...], staying: list[str]) -> list[str]:
    """Return the header of a release, with the source's contigs and sample names.

    A contig's length proves the build, so it stands as the upload said it, and so does
    the version of VCF, which says what the values mean.
    """
    version, *others, columns = written.splitlines()
    version = next((line for line in source if line.startswith(_VERSION_LINE)), version)
    kept = [
        line for line in others if not line.startswith((_CONTIG_LINE, "##reference="))
    ]
    contigs = [line for line in source if line.startswith(_CONTIG_LINE)]
    fixed = columns.split("\t")[: -len(staying)]
    return [version, *kept, *contigs, "\t".join([*fixed, *staying])]
