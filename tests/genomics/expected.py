"""What a job must leave of a file: the release rules once more, plain and slow.

Written apart from the engine, from the documentation of the release job. A record is
told by contig, POS, REF and ALT, END, SVTYPE, ID, FILTER and, for each sample in the
order of the release, what `checker` tells of its cell.
"""

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genomics.builds import LENGTHS
from tests.genomics import reach
from tests.genomics.checker import MISSING, REF, Allele, Told, tell_cell
from tests.genomics.misspelling import OTHER_NAMES
from tests.genomics.values import Version, carried_by, genotype_of, version_of

Record = tuple[str, int, str, str, str | None, str | None, str, str, tuple[Told, ...]]
Cell = Mapping[str, str]
Span = tuple[str, int, int]  # contig, start_0, end
_CHROMOSOMES = {
    other.removeprefix("chr"): "MT" if name == "chrM" else name.removeprefix("chr")
    for name, others in OTHER_NAMES.items()
    for other in others
}
_MASKED = Told("/", (MISSING, MISSING), ())
_NOTHING = Told("", (), ())  # of a masked donor in a record without genotypes


class Expectation:
    """Applies one job to one text."""

    def __init__(self, text: str, job: Mapping[str, Any]) -> None:
        lines = text.splitlines()
        names = next(line for line in lines if line.startswith("#CHROM")).split("\t")
        pairs = sorted(job["samples"], key=lambda pair: pair[1])
        self._places = [names.index(source, 9) for source, _ in pairs]
        self._everyone = set(range(len(pairs)))
        self._job = job
        self._withheld = {
            number: job["withheld"].get(source, ())
            for number, (source, _) in enumerate(pairs)
        }
        self._lengths = {
            match[1]: int(match[2])
            for line in lines
            if (match := re.fullmatch(r"##contig=<ID=(.+),length=(\d+)>", line))
        }
        self._version = version_of(text)
        every = rows_of(text)
        self._found: list[Record] = []
        self.withheld = 0
        self.closed = 0
        rows = {
            number: (row, own)
            for number, row in enumerate(every)
            if (own := self._own(row, self._cells(row)))
            and carried(own, self._everyone)
        }
        decisions = {number: self._decide([item]) for number, item in rows.items()}
        mates = {
            number: (row, self._site(row, carried(own, self._everyone)).said)
            for number, (row, own) in rows.items()
            if reach.may_have_mates(row)
        }
        for group in reach.groups(mates):
            decision = self._decide([rows[number] for number in group])
            decisions.update(dict.fromkeys(group, decision))
        for number, (row, own) in rows.items():
            self._take(row, own, *decisions[number])
        self.records = with_sets(self._found)

    def _cells(self, row: Sequence[str]) -> list[Cell]:
        keys = row[8].split(":")
        return [
            dict(zip(keys, row[place].split(":"), strict=False))
            for place in self._places
        ]

    def _own(self, row: Sequence[str], cells: Sequence[Cell]) -> list[set[int]] | None:
        """Return what each sample carries, None where no field tells it."""
        keys, alts = row[8].split(":"), _alts(row)
        told_by = [carried_by(cell, keys, alts, self._version) for cell in cells]
        own = [found for found in told_by if found is not None]
        return own if len(own) == len(cells) else None

    def _site(self, row: Sequence[str], kept: Sequence[int]) -> "Site":
        return Site(row, kept, self._version)

    def _decide(
        self, rows: Sequence[tuple[Sequence[str], list[set[int]]]]
    ) -> tuple[set[int], bool, bool]:
        """Return who is masked in these rows, whether they are asked for and closed."""
        masked = set[int]().union(*(self._masked(row, own) for row, own in rows))
        left = self._everyone - masked
        sites = [
            self._site(row, kept) for row, own in rows if (kept := carried(own, left))
        ]
        regions, closed = self._job["regions"], self._job["excluded_regions"]
        is_asked = regions is None or any(
            self._touches(regions, site, unplaced=False) for site in sites
        )
        is_closed = any(self._touches(closed, site, unplaced=True) for site in sites)
        return masked, is_asked, is_closed

    def _take(
        self,
        row: Sequence[str],
        own: list[set[int]],
        masked: set[int],
        is_asked: bool,
        is_closed: bool,
    ) -> None:
        left = self._everyone - masked
        kept = carried(own, left)
        if not kept or not is_asked:
            return
        if is_closed:
            self.closed += 1
            return
        site = self._site(row, kept)
        keys, alts, cells = row[8].split(":"), _alts(row), self._cells(row)
        named = _named(kept, site.alts)
        genotypes: list[str | None]
        genotypes = [genotype_of(cell, keys, len(alts)) for cell in cells]
        if not any(re.search(r"\d", genotypes[number] or "") for number in left):
            genotypes = [None] * len(cells)  # GT is missing for all, and goes
        told = tuple(
            (_NOTHING if genotype is None else _MASKED)
            if number in masked
            else self._in_stretch(
                tell_cell(
                    len(alts),
                    named,
                    cell,
                    [0, *kept],
                    str,
                    genotype=genotype,
                    version=self._version,
                ),
                number,
                site,
            )
            for number, (cell, genotype) in enumerate(
                zip(cells, genotypes, strict=True)
            )
        )
        end = str(site.last) if site.last > site.pos + len(site.ref) - 1 else None
        type_ = site.said.stated_type(site.ref, site.alts)
        fixed = (row[0], site.pos, site.ref, ",".join(site.alts))
        self._found.append((*fixed, end, type_, ".", self._filter(row[6]), told))
        self.withheld += len(masked)

    def _masked(self, row: Sequence[str], own: Sequence[set[int]]) -> set[int]:
        def touching(site: Site, among: Iterable[int]) -> set[int]:
            return {
                number
                for number in among
                if self._touches(self._withheld[number], site, unplaced=True)
            }

        everyone = self._everyone
        touched = touching(self._site(row, carried(own, everyone)), everyone)
        first = {
            number
            for number in touched
            if (mine := carried(own, {number}))
            and touching(self._site(row, mine), {number})
        }
        rest = carried(own, everyone - first)
        return first | touching(self._site(row, rest), everyone) if rest else touched

    def _in_stretch(self, told: Told, number: int, site: "Site") -> Told:
        """Tell a set by its name and by the edges of spans that lie before its site."""
        contig = self._place(site.places[0][0])[0]
        before = 0
        for spans in (
            self._withheld[number],
            self._job["excluded_regions"],
            self._job["regions"] or (),
        ):
            here = [(a, b) for name, a, b in spans if self._place(name)[0] == contig]

            def covers(base: int, here: list[tuple[int, int]] = here) -> bool:
                return any(a <= base < b for a, b in here)

            edges = {edge for span in here for edge in span}
            before += sum(
                covers(edge) != covers(edge - 1) and edge < max(site.pos, 1)
                for edge in edges
            )
        values = (
            (key, (value, before) if key == "PS" else value)
            for key, value in told.values
        )
        return dataclasses.replace(told, values=tuple(values))

    def _touches(self, spans: Sequence[Span], site: "Site", *, unplaced: bool) -> bool:
        if not spans:
            return False
        for contig, first, last in site.places:
            chromosome, is_placed = self._place(contig)
            here = [span for span in spans if self._place(span[0])[0] == chromosome]
            if not here and not is_placed:
                if unplaced:
                    return True
                continue
            if any(start_0 < last and first <= end for _, start_0, end in here):
                return True
        return False

    def _place(self, contig: str) -> tuple[str, bool]:
        bare = re.sub("^chr", "", contig, flags=re.IGNORECASE).upper()
        bare = "MT" if bare == "M" else bare
        if self._job["build"] is not None:
            bare = _CHROMOSOMES.get(bare, bare)
        if self._job["build"] is None:
            return (bare if bare in LENGTHS["GRCh38"] else contig), True
        length = LENGTHS[self._job["build"]].get(bare)
        if length is None or self._lengths.get(contig, length) != length:
            return contig, False
        return bare, True

    def _filter(self, text: str) -> str:
        return text if self._job["filter_is_cohort_independent"] else "."


class Site:
    """A row with only the alleles of these numbers: shortest form, and its reach.

    `places` are the spans it touches, 1-based and inclusive; `last` is the last base
    that it states.
    """

    def __init__(
        self,
        row: Sequence[str],
        kept: Sequence[int],
        version: Version = (4, 3),
    ) -> None:
        alts = row[4].split(",")
        self.pos, self.ref = int(row[1]), row[3].upper()
        self.alts = [alts[number - 1] for number in kept]
        self.alts = [alt.upper() if alt.isalpha() else alt for alt in self.alts]
        self._trim()
        self.said = reach.Statements(row, kept, ".".join(map(str, version)))
        self.last = self.said.stated_end(self.pos, self.ref)
        # A telomere at 0 counts as the first base.
        self.places = [
            (contig, max(first, 1), max(last, 1))
            for contig, first, last in self.said.places(self.pos, self.ref)
        ]

    def _trim(self) -> None:
        def bases(alt: str) -> str | None:
            if alt.isalpha():
                return alt
            if alt[0] in "[].":
                return re.split(r"[\[\].]", alt)[-1]
            return None

        def texts() -> list[str]:
            return [self.ref, *(text for alt in self.alts if (text := bases(alt)))]

        while all(len(t) > 1 and t[-1] == texts()[0][-1] for t in texts()):
            self.ref = self.ref[:-1]
            self.alts = [alt[:-1] if bases(alt) else alt for alt in self.alts]
        if not all(alt.isalpha() or alt == "*" for alt in self.alts):
            return
        if not any(alt.isalpha() for alt in self.alts):
            return
        while all(len(t) > 1 and t[0] == texts()[0][0] for t in texts()):
            self.pos, self.ref = self.pos + 1, self.ref[1:]
            self.alts = [alt if alt == "*" else alt[1:] for alt in self.alts]


def _alts(row: Sequence[str]) -> list[str]:
    return [] if row[4] == "." else row[4].split(",")


def carried(own: Sequence[set[int]], among: Iterable[int]) -> tuple[int, ...]:
    """Return the numbers of the ALT alleles that these samples have."""
    return tuple(sorted(set().union(*(own[at] for at in among))))


def told(text: str) -> Counter[Record]:
    """Return the records of a release as they are expected."""
    records: list[Record] = []
    for row in rows_of(text):
        alts = row[4].split(",")
        every = range(len(alts) + 1)
        keys = row[8].split(":")
        cells = tuple(
            tell_cell(
                len(alts),
                _named(every[1:], alts),
                cell,
                list(every),
                str,
                genotype=cell.get("GT"),
                version=(4, 3),
            )
            for cell in (
                dict(zip(keys, column.split(":"), strict=True)) for column in row[9:]
            )
        )
        info = reach.entries_of(row)
        fixed = (row[0], int(row[1]), row[3], row[4])
        said = (info.get("END"), info.get("SVTYPE"))
        records.append((*fixed, *said, row[2], row[6], cells))
    return with_sets(records)


def with_sets(records: Sequence[Record]) -> Counter[Record]:
    """Return the records with each phase set told by the sites and genotypes in it.

    So its name drops out: only what belongs together counts.
    """
    members: defaultdict[object, list[object]] = defaultdict(list)
    for record in records:
        for sample, cell in enumerate(record[-1]):
            for key, value in cell.values:
                if key == "PS":
                    site = (*record[1:4], cell.marks, cell.alleles)
                    members[sample, record[0], value].append(site)

    def told(sample: int, contig: str, cell: Told) -> Told:
        values = (
            (key, repr(sorted(members[sample, contig, value], key=repr)))
            if key == "PS"
            else (key, value)
            for key, value in cell.values
        )
        return dataclasses.replace(cell, values=tuple(values))

    return Counter(
        (*record[:-1], tuple(told(n, record[0], c) for n, c in enumerate(record[-1])))
        for record in records
    )


def rows_of(text: str) -> list[list[str]]:
    """Return the columns of the records of a VCF."""
    return [line.split("\t") for line in text.splitlines() if line[0] != "#"]


def _named(numbers: Sequence[int], alts: Sequence[str]) -> dict[str, Allele]:
    named = {".": MISSING, "": MISSING, "0": REF}
    return named | {
        str(number): (str(place), alt)
        for place, (number, alt) in enumerate(zip(numbers, alts, strict=True))
    }
