"""Cut one record to the included samples, so that no one else's shows in what is left.

Order matters (release rules): alleles are reduced to the included samples' first, then
regions and withheld spans are tested on what remains, values are masked, and alleles
are reduced again. Sorting, writing and sealing are left to `genomics.pipeline`.
"""

import dataclasses
import functools
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from genomics.alleles import Kind, Site, kind_of, reduce_site, sv_type
from genomics.boundaries import Boundaries
from genomics.columns import Columns
from genomics.errors import BuildFailed
from genomics.fields import info_fields
from genomics.genotypes import MISSING, NO_CALL, Shortener, alleles_of
from genomics.header import Usage
from genomics.job import SubsetJob
from genomics.lines import ENCODING, FIXED_COLUMNS, as_read

_RS_NUMBER = re.compile(r"rs[0-9]+")
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


@dataclasses.dataclass(frozen=True, slots=True)
class _Record:
    """One record of the source, as far as all included samples share it."""

    line: int
    fields: Sequence[str]  # CHROM to FORMAT
    contig: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    info: Mapping[str, str]

    def site(self, kept: Sequence[int]) -> Site:
        """Return what these ALT numbers (from 1) alone would have made."""
        return reduce_site(
            contig=self.contig,
            pos=self.pos,
            ref=self.ref,
            alts=[self.alts[number - 1] for number in kept],
            lengths=self.lengths(kept),
            info=self.info,
        )

    def lengths(self, kept: Sequence[int]) -> list[str]:
        """Return SVLEN of each of these ALT numbers, "." where it has none."""
        lengths = self.info.get("SVLEN", "").split(",")
        is_sound = len(lengths) == len(self.alts)
        return [lengths[n - 1] or MISSING if is_sound else MISSING for n in kept]


class Subsetter:
    """Cuts the records of one source for one job; `usage` grows along.

    `source_samples` are the names as they are read from the source.
    """

    def __init__(
        self,
        job: SubsetJob,
        source_samples: Sequence[str],
        source_lengths: Mapping[str, int | None],
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
        # Of each included sample, in the order of writing, its number in the source.
        self.places = [places[name] for name in wanted]
        self._job = job
        self._width = FIXED_COLUMNS + len(source_samples)
        self._pick = _picker([FIXED_COLUMNS + place for place in self.places])
        columns = {source: number for number, (source, _) in enumerate(ordered)}
        self.boundaries = Boundaries(job, columns, source_lengths)
        self._columns = Columns(job.format_keep, self.usage)
        self._infos = info_fields(job.info_keep)

    def cut(self, text: str, line: int) -> Cut | None:
        """Return what is left of a record line, None when nothing is to be told."""
        fields = text.split("\t")
        if len(fields) != self._width:
            raise BuildFailed(
                "columns", f"expected {self._width} columns, got {len(fields)}", line
            )
        return self.cut_fields(fields[:FIXED_COLUMNS], self._pick(fields), line)

    def cut_fields(
        self, fields: Sequence[str], samples: Sequence[str], line: int
    ) -> Cut | None:
        """Return what is left of a record, given as its columns up to FORMAT.

        `samples` are the columns of the included samples, in the order of writing.
        """
        form = fields[8]
        genotypes = self._columns.genotypes(form, samples)
        if genotypes is None:
            return None  # without GT nobody is known to carry anything
        alts = () if fields[4] == MISSING else tuple(fields[4].split(","))
        carried = _carried(genotypes, len(alts), line)
        if not carried:
            return None
        record = _record(fields, alts, line)
        site = record.site(carried)
        if not self.boundaries.is_requested(record.contig, site):
            return None
        masked = self._masked(record, genotypes, site)
        if masked:
            genotypes = [
                NO_CALL if column in masked else genotype
                for column, genotype in enumerate(genotypes)
            ]
            carried = _carried(genotypes, len(alts), line)
            if not carried:
                return None
            site = record.site(carried)
            # What pulled the record in may have been masked.
            if not self.boundaries.is_requested(record.contig, site):
                return None
        if self.boundaries.is_closed(record.contig, site):
            return Cut(site.pos, site.ref, ",".join(site.alts), b"", b"", site.end, 0)
        return self._write(record, site, carried, samples, genotypes, masked)

    def _masked(
        self, record: _Record, genotypes: Sequence[str], site: Site
    ) -> frozenset[int]:
        """Return the columns of donors who withhold this record.

        Donors whose own alleles reach into what they withhold come first: the rest is
        judged as if these had never been there, so that a withheld allele masks nobody
        else.
        """
        withheld_by = self.boundaries.withheld_by
        touched = withheld_by(record.contig, site)
        if not touched:
            return touched
        own = frozenset(
            column
            for column in touched
            if (mine := _carried([genotypes[column]], len(record.alts), record.line))
            and column in withheld_by(record.contig, record.site(mine), {column})
        )
        others = [
            genotype for column, genotype in enumerate(genotypes) if column not in own
        ]
        carried = _carried(others, len(record.alts), record.line)
        if not carried:
            return touched
        return own | withheld_by(record.contig, record.site(carried))

    def _write(
        self,
        record: _Record,
        site: Site,
        kept: tuple[int, ...],
        samples: Sequence[str],
        genotypes: Sequence[str],
        masked: frozenset[int],
    ) -> Cut:
        form, values = self._columns.write(
            form=record.fields[8],
            line=record.line,
            samples=samples,
            genotypes=genotypes,
            masked=masked,
            alt_count=len(record.alts),
            kept=kept,
        )
        alts = ",".join(site.alts)
        fixed = (
            record.contig,
            str(site.pos),
            self.identifier(record.fields[2]),
            site.ref,
            alts,
            MISSING,
            self.filter(record.fields[6]),
            ";".join([*_counts(genotypes, kept), *self._described(record, site, kept)]),
            form,
        )
        self.usage.note(record.contig, form)
        return Cut(
            pos=site.pos,
            ref=site.ref,
            alts=alts,
            head="\t".join(fixed).encode(ENCODING),
            cells=f"\t{values}\n".encode(ENCODING),
            end=site.end,
            withheld=len(masked),
        )

    def identifier(self, text: str) -> str:
        """Return what may stay of ID."""
        if self._job.id_keep or text == MISSING:
            return text
        # A second number may have come with an allele that is gone.
        for name in text.split(";"):
            if _RS_NUMBER.fullmatch(name):
                return name
        return MISSING

    def filter(self, text: str) -> str:
        """Return what may stay of FILTER."""
        if not self._job.filter_is_cohort_independent:
            return MISSING
        self.usage.filters.update(set(text.split(";")) - {_PASS, MISSING})
        return text

    def _described(
        self, record: _Record, site: Site, kept: tuple[int, ...]
    ) -> Iterable[str]:
        """Yield the INFO entries that describe the alleles themselves."""
        for field_id, definition in self._infos.items():
            match field_id:
                case "AC" | "AF" | "AN" | "NS":
                    continue
                case "END":
                    value = _end(site)
                case "SVTYPE":
                    value = _sv_type(site, record.lengths(kept))
                case _ if field_id not in record.info:
                    continue
                case _ if definition.type == "Flag":
                    value = ""
                case _:
                    shortener = Shortener(definition, len(record.alts), kept, None)
                    value = shortener[record.info[field_id]]
                    if shortener.has_fraction:
                        self.usage.fractions.add(field_id)
            if value is None or value == MISSING:
                continue
            self.usage.infos.add(field_id)
            yield f"{field_id}={value}" if value else field_id


def _record(fields: Sequence[str], alts: tuple[str, ...], line: int) -> _Record:
    info = {}
    if fields[7] != MISSING:
        for entry in reversed(fields[7].split(";")):  # the first of two counts
            key, _, value = entry.partition("=")
            info[key] = value
    return _Record(
        line=line,
        fields=fields[:FIXED_COLUMNS],
        contig=fields[0],
        pos=int(fields[1]),
        ref=fields[3],
        alts=alts,
        info=info,
    )


def _picker(places: list[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    if len(places) == 1:  # itemgetter gives no tuple then
        return lambda fields: (fields[places[0]],)
    return operator.itemgetter(*places)


def _carried(genotypes: Iterable[str], alt_count: int, line: int) -> tuple[int, ...]:
    """Return the numbers of the ALT alleles that the genotypes hold, ascending."""
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


def _end(site: Site) -> str | None:
    # Told anew, and only where REF does not tell it: the source's END is that of its
    # longest allele, which may be gone, and so would be the reason to have END at all.
    return str(site.end) if site.end > site.pos + len(site.ref) - 1 else None


def _sv_type(site: Site, lengths: Sequence[str]) -> str | None:
    # Told anew for the same reason. Bases alone make a structural variant only where
    # the source gives them an SVLEN of their own.
    types = {
        sv_type(site.ref, alt)
        if kind_of(alt) is not Kind.SEQUENCE or length != MISSING
        else None
        for alt, length in zip(site.alts, lengths, strict=True)
        if alt != "*"
    }
    return types.pop() if len(types) == 1 else None
