"""Cut one record to the included samples, so that no one else's shows in what is left.

Order matters (release rules): alleles are reduced to the included samples' first, then
regions and withheld spans are tested on what remains, values are masked, and alleles
are reduced again. Sorting, writing and sealing are left to `genomics.pipeline`.
"""

import dataclasses
import functools
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from genomics.boundaries import Boundaries
from genomics.columns import Calls, Columns
from genomics.describing import Describer
from genomics.errors import BuildFailed
from genomics.extent import Site, SourceSite
from genomics.fields import info_fields
from genomics.genotypes import MISSING, alleles_of
from genomics.header import Usage
from genomics.job import SubsetJob
from genomics.lines import ENCODING, FIXED_COLUMNS, Version, as_read
from genomics.mates import Decision, Row
from genomics.phase_sets import PhaseSets, Unnumbered

_PASS = "PASS"  # noqa: S105 - a filter's verdict


class Cut(NamedTuple):
    """One record of a release, ordered as the release is.

    One that is closed to all has no head: it is counted where it would have stood.
    """

    pos: int
    ref: str
    alts: str
    head: bytes  # of its line, up to FORMAT
    cells: bytes | memoryview  # the rest, with the line's end
    end: int
    withheld: int
    unnumbered: Unnumbered | None = None  # phase sets that the cells name

    def finished(self, contig: str, sets: PhaseSets) -> "Cut":
        """Return the record with its phase sets numbered, next in order."""
        if self.unnumbered is None:
            return self
        cells = sets.number(contig, bytes(self.cells), self.unnumbered)
        return self._replace(cells=cells, unnumbered=None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Record:
    """One record of the source, as far as all included samples share it."""

    line: int
    fields: Sequence[str]  # CHROM to FORMAT
    source: SourceSite
    calls: Calls
    carried: tuple[int, ...]  # numbers of ALT


class Subsetter:
    """Cuts the records of one source for one job; `usage` grows along.

    `source_samples` are the names as they are read from the source, `version` is that
    of its VCF. What was decided over records that have mates goes into `decisions`, by
    line.
    """

    def __init__(
        self,
        job: SubsetJob,
        source_samples: Sequence[str],
        source_lengths: Mapping[str, int | None],
        version: Version,
    ) -> None:
        ordered = sorted(job.samples, key=lambda pair: pair[1])
        places = {name: number for number, name in enumerate(source_samples)}
        wanted = [as_read(source) for source, _ in ordered]
        missing = sum(name not in places for name in wanted)
        if missing:
            raise BuildFailed(
                "samples",
                f"expected all {len(ordered)} samples in a store of "
                f"{len(source_samples)}, {missing} are not there",
            )
        self.usage = Usage()
        self.decisions: Mapping[int, Decision] = {}
        # Of each included sample, in the order of writing, its number in the source.
        self.places = [places[name] for name in wanted]
        self._job = job
        self._width = FIXED_COLUMNS + len(source_samples)
        self._pick = _picker([FIXED_COLUMNS + place for place in self.places])
        columns = {source: number for number, (source, _) in enumerate(ordered)}
        self.boundaries = Boundaries(job, columns, source_lengths)
        self._columns = Columns(job.format_keep, self.usage, version)
        self.describer = Describer(info_fields(job.info_keep), self.usage)
        self._version = version

    def cut(self, text: str, line: int) -> Cut | None:
        """Return what is left of a record line, None when nothing is to be told."""
        fields = self._fields(text, line)
        return self.cut_fields(fields[:FIXED_COLUMNS], self._pick(fields), line)

    def cut_fields(
        self, fields: Sequence[str], samples: Sequence[str], line: int
    ) -> Cut | None:
        """Return what is left of a record, given as its columns up to FORMAT.

        `samples` are the columns of the included samples, in the order of writing.
        """
        record = self._record(fields, samples, line)
        if record is None:
            return None
        calls, kept, source = record.calls, record.carried, record.source
        decision = self.decisions.get(line)
        site = source.reduce(kept)
        if not (
            decision.is_requested if decision else self.boundaries.is_requested(site)
        ):
            return None
        masked = decision.masked if decision else self._masked(record, site)
        if masked:
            calls = calls.without(masked)
            kept = _carried(calls.carried, len(source.alts), line)
            if not kept:
                return None
            site = source.reduce(kept)
            # What pulled the record in may have been masked.
            if not decision and not self.boundaries.is_requested(site):
                return None
        if decision.is_closed if decision else self.boundaries.is_closed(site):
            return Cut(
                site.pos, site.ref, ",".join(site.alts), b"", b"", site.last_base, 0
            )
        return self._write(record, site, kept, samples, calls, masked)

    def survey(
        self, fields: Sequence[str], samples: Sequence[str], line: int
    ) -> Row | None:
        """Return what its mates must know of a record, None where nobody carries it.

        Takes what `cut_fields` takes.
        """
        record = self._record(fields, samples, line)
        if record is None:
            return None
        size = len(record.calls.carried) // 8 + 1
        carriers = {number: bytearray(size) for number in record.carried}
        for column, genotype in enumerate(record.calls.carried):
            for number in set(alleles_of(genotype) or ()) - {-1, 0}:
                carriers[number][column // 8] |= 1 << column % 8
        ids = [] if fields[2] == MISSING else fields[2].split(";")
        return Row(
            line=line,
            ids=tuple(ids),
            source=record.source,
            carriers={
                number: int.from_bytes(bits, "little")
                for number, bits in carriers.items()
            },
            masked=self._masked(record, record.source.reduce(record.carried)),
        )

    def survey_line(self, text: str, line: int) -> Row | None:
        """Return what its mates must know of a record line, as `survey` does."""
        fields = self._fields(text, line)
        return self.survey(fields[:FIXED_COLUMNS], self._pick(fields), line)

    def _fields(self, text: str, line: int) -> list[str]:
        fields = text.split("\t")
        if len(fields) != self._width:
            raise BuildFailed(
                "columns", f"expected {self._width} columns, got {len(fields)}", line
            )
        return fields

    def _record(
        self, fields: Sequence[str], samples: Sequence[str], line: int
    ) -> _Record | None:
        """Return a record, None where no included sample carries anything."""
        alts = () if fields[4] == MISSING else tuple(fields[4].split(","))
        calls = self._columns.calls(fields[8], samples, alts)
        if calls is None:
            return None  # nothing says who carries anything
        carried = _carried(calls.carried, len(alts), line)
        if not carried:
            return None
        source = SourceSite(
            line=line,
            contig=fields[0],
            pos=int(fields[1]),
            ref=fields[3],
            alts=alts,
            info=_info(fields[7]),
            version=self._version,
        )
        return _Record(line, fields, source, calls, carried)

    def _masked(self, record: _Record, site: Site) -> frozenset[int]:
        """Return the columns of donors who withhold this record.

        Donors whose own alleles reach into what they withhold come first: the rest is
        judged as if these had never been there, so that a withheld allele masks nobody
        else.
        """
        withheld_by = self.boundaries.withheld_by
        touched = withheld_by(site)
        if not touched:
            return touched
        source, genotypes = record.source, record.calls.carried
        alt_count = len(source.alts)
        own = frozenset(
            column
            for column in touched
            if (mine := _carried([genotypes[column]], alt_count, record.line))
            and column in withheld_by(source.reduce(mine), {column})
        )
        others = [
            genotype for column, genotype in enumerate(genotypes) if column not in own
        ]
        carried = _carried(others, alt_count, record.line)
        if not carried:
            return touched
        return own | withheld_by(source.reduce(carried))

    def _write(
        self,
        record: _Record,
        site: Site,
        kept: tuple[int, ...],
        samples: Sequence[str],
        calls: Calls,
        masked: frozenset[int],
    ) -> Cut | None:
        genotypes = calls.written
        written = self._columns.write(
            form=record.fields[8],
            line=record.line,
            samples=samples,
            genotypes=genotypes,
            masked=masked,
            alt_count=len(record.source.alts),
            kept=kept,
        )
        if written is None:
            return None
        counts = (
            [f"NS={written.samples}"] if genotypes is None else _counts(genotypes, kept)
        )
        alts = ",".join(site.alts)
        described = self.describer.entries(record.source, site, kept)
        fixed = (
            record.source.contig,
            str(site.pos),
            # Which id belongs to which allele cannot be told once alleles went.
            MISSING,
            site.ref,
            alts,
            MISSING,
            self.filter(record.fields[6]),
            ";".join([*counts, *described]),
            written.form,
        )
        contig = record.source.contig
        self.usage.note(contig, written.form)
        sets = tuple(
            (column, name, self.boundaries.stretch(contig, site.pos, column))
            for column, name in written.sets
        )
        return Cut(
            pos=site.pos,
            ref=site.ref,
            alts=alts,
            head="\t".join(fixed).encode(ENCODING),
            cells=f"\t{written.cells}\n".encode(ENCODING),
            end=site.last_base,
            withheld=len(masked),
            unnumbered=Unnumbered(record.line, sets) if sets else None,
        )

    def filter(self, text: str) -> str:
        """Return what may stay of FILTER."""
        if not self._job.filter_is_cohort_independent:
            return MISSING
        self.usage.filters.update(set(text.split(";")) - {_PASS, MISSING})
        return text


def _info(text: str) -> dict[str, str]:
    info = {}
    if text != MISSING:
        for entry in reversed(text.split(";")):  # the first of two counts
            key, _, value = entry.partition("=")
            info[key] = value
    return info


def _picker(places: list[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    if len(places) == 1:  # itemgetter gives no tuple then
        return lambda fields: (fields[places[0]],)
    return operator.itemgetter(*places)


def _carried(genotypes: Iterable[str], alt_count: int, line: int) -> tuple[int, ...]:
    """Return the numbers of the ALT alleles that genotypes hold, ascending."""
    found: set[int] = set()
    for genotype in set(genotypes):
        alleles = alleles_of(genotype)
        if alleles is None:
            raise BuildFailed("genotype", "expected a genotype like 0/1 in GT", line)
        found.update(alleles)
    found -= {-1, 0}
    if found and max(found) > alt_count:
        raise BuildFailed(
            "genotype", f"expected allele numbers up to {alt_count}", line
        )
    return tuple(sorted(found))


def _counts(genotypes: Sequence[str], kept: tuple[int, ...]) -> list[str]:
    carriers: Counter[int] = Counter()
    called = samples = 0
    for genotype, times in Counter(genotypes).items():
        alleles = [number for number in alleles_of(genotype) or () if number >= 0]
        called += times * len(alleles)
        samples += times * bool(alleles)
        for number in alleles:
            carriers[number] += times
    return counted([carriers[number] for number in kept], called, samples)


def counted(counts: Sequence[int], called: int, samples: int) -> list[str]:
    """Return the INFO entries of allele counts, called alleles and called samples."""
    frequencies = [frequency(count, called) for count in counts]
    return [
        f"AC={','.join(map(str, counts))}",
        f"AF={','.join(frequencies)}",
        f"AN={called}",
        f"NS={samples}",
    ]


@functools.lru_cache(maxsize=100_000)
def frequency(count: int, called: int) -> str:
    """Return how a frequency is written.

    >>> frequency(1, 3)
    '0.333333'
    """
    return format(count / called, ".6g")
