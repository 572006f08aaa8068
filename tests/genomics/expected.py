"""What a job must leave of a file: the release rules once more, plain and slow.

Written apart from the engine, from the documentation of the release job. A record is
told by contig, POS, REF and ALT, END, ID, FILTER and, for each sample in the order of
the release, what `checker` tells of its cell.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genomics.builds import LENGTHS
from tests.genomics.checker import MISSING, REF, Allele, Told, tell_cell

Record = tuple[str, int, str, str, str | None, str, str, tuple[Told, ...]]
Span = tuple[str, int, int]  # contig, start_0, end
_MASKED = Told("/", (MISSING, MISSING), ())


class Expectation:
    """Applies one job to one text."""

    def __init__(self, text: str, job: Mapping[str, Any]) -> None:
        lines = text.splitlines()
        names = next(line for line in lines if line.startswith("#CHROM")).split("\t")
        pairs = sorted(job["samples"], key=lambda pair: pair[1])
        self._places = [names.index(source, 9) for source, _ in pairs]
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
        self.records: Counter[Record] = Counter()
        self.withheld = 0
        self.closed = 0
        for row in rows_of(text):
            self._take(row)

    def _take(self, row: Sequence[str]) -> None:
        keys = row[8].split(":")
        if keys[0] != "GT":
            return
        cells = [
            dict(zip(keys, row[place].split(":"), strict=False))
            for place in self._places
        ]
        everyone = set(range(len(cells)))
        if not carried(cells, everyone) or not self._is_asked(row, cells, everyone):
            return
        masked = self._masked(row, cells)
        left = everyone - masked
        if not carried(cells, left) or not self._is_asked(row, cells, left):
            return
        site = Site(row, carried(cells, left))
        if self._touches(self._job["excluded_regions"], site, unplaced=True):
            self.closed += 1
            return
        kept = carried(cells, left)
        named = _named(kept, site.alts)
        told = tuple(
            _MASKED
            if number in masked
            else tell_cell(len(row[4].split(",")), named, cell, [0, *kept], str)
            for number, cell in enumerate(cells)
        )
        end = str(site.last) if site.last > site.pos + len(site.ref) - 1 else None
        fixed = (row[0], site.pos, site.ref, ",".join(site.alts))
        self.records[(*fixed, end, self._id(row[2]), self._filter(row[6]), told)] += 1
        self.withheld += len(masked)

    def _masked(
        self, row: Sequence[str], cells: Sequence[Mapping[str, str]]
    ) -> set[int]:
        everyone = set(range(len(cells)))

        def touching(site: Site, among: Iterable[int]) -> set[int]:
            return {
                number
                for number in among
                if self._touches(self._withheld[number], site, unplaced=True)
            }

        touched = touching(Site(row, carried(cells, everyone)), everyone)
        own = {
            number
            for number in touched
            if (mine := carried(cells, {number}))
            and touching(Site(row, mine), {number})
        }
        rest = carried(cells, everyone - own)
        return own | touching(Site(row, rest), everyone) if rest else touched

    def _is_asked(
        self, row: Sequence[str], cells: Sequence[Mapping[str, str]], among: set[int]
    ) -> bool:
        regions = self._job["regions"]
        site = Site(row, carried(cells, among))
        return regions is None or self._touches(regions, site, unplaced=False)

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
        if self._job["build"] is None:
            return (bare if bare in LENGTHS["GRCh38"] else contig), True
        length = LENGTHS[self._job["build"]].get(bare)
        if length is None or self._lengths.get(contig, length) != length:
            return contig, False
        return bare, True

    def _id(self, text: str) -> str:
        return "."

    def _filter(self, text: str) -> str:
        return text if self._job["filter_is_cohort_independent"] else "."


class Site:
    """A row with only the alleles of these numbers: shortest form, and its reach.

    `places` are the spans it touches, 1-based and inclusive.
    """

    def __init__(self, row: Sequence[str], kept: Sequence[int]) -> None:
        info = dict(part.partition("=")[::2] for part in row[7].split(";"))
        alts = row[4].split(",")
        lengths = info.get("SVLEN", "").split(",")
        if len(lengths) != len(alts):
            lengths = ["."] * len(alts)
        self.pos, self.ref = int(row[1]), row[3].upper()
        self.alts = [alts[number - 1] for number in kept]
        self.alts = [alt.upper() if alt.isalpha() else alt for alt in self.alts]
        self._trim()
        self.last = self.pos + len(self.ref) - 1
        mates = []
        for number, alt in zip(kept, self.alts, strict=True):
            if alt[0] == "<":
                self.last = max(self.last, self._end(alt, lengths[number - 1], info))
            if mate := re.search(r"[\[\]](.+):(\d+)[\[\]]", alt):
                place = max(int(mate[2]), 1)
                mates.append((mate[1].strip("<>"), place, int(mate[2])))
        # A telomere at 0 counts as the first base.
        here = (row[0], max(self.pos, 1), max(self.last, 1))
        self.places: list[Span] = [here, *mates]

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

    def _end(self, alt: str, length: str, info: Mapping[str, str]) -> int:
        kind = alt.strip("<>").split(":")[0]
        if kind in ("INS", "BND"):
            return self.pos
        if length.lstrip("-").isdigit() and kind in ("DEL", "DUP", "INV", "CNV"):
            return self.pos + abs(int(length))
        return int(info.get("END", self.pos))


def carried(
    cells: Sequence[Mapping[str, str]], among: Iterable[int]
) -> tuple[int, ...]:
    """Return the numbers of the ALT alleles that these samples have."""
    found = {n for at in among for n in re.findall(r"\d+", cells[at]["GT"])}
    return tuple(sorted(int(number) for number in found - {"0"}))


def told(text: str) -> Counter[Record]:
    """Return the records of a release as they are expected."""
    records: Counter[Record] = Counter()
    for row in rows_of(text):
        alts = row[4].split(",")
        every = range(len(alts) + 1)
        keys = row[8].split(":")
        cells = tuple(
            tell_cell(
                len(alts),
                _named(every[1:], alts),
                dict(zip(keys, cell.split(":"), strict=True)),
                list(every),
                str,
            )
            for cell in row[9:]
        )
        end = re.search(r"(?:^|;)END=(\d+)", row[7])
        fixed = (row[0], int(row[1]), row[3], row[4], end[1] if end else None)
        records[(*fixed, row[2], row[6], cells)] += 1
    return records


def genotypes(text: str) -> Counter[tuple[str, int, str, str, str]]:
    """Return contig, shortest form and genotypes of each record of a subset.

    No allele of it is uncarried, but REF may be longer than these need.
    """
    found: Counter[tuple[str, int, str, str, str]] = Counter()
    for row in rows_of(text):
        site = Site(row, range(1, row[4].count(",") + 2))
        # bcftools leaves out a mark before the first allele.
        cells = " ".join(cell.partition(":")[0].lstrip("/|") for cell in row[9:])
        found[(row[0], site.pos, site.ref, ",".join(site.alts), cells)] += 1
    return found


def rows_of(text: str) -> list[list[str]]:
    """Return the columns of the records of a VCF."""
    return [line.split("\t") for line in text.splitlines() if line[0] != "#"]


def _named(numbers: Sequence[int], alts: Sequence[str]) -> dict[str, Allele]:
    named = {".": MISSING, "": MISSING, "0": REF}
    return named | {
        str(number): (str(place), alt)
        for place, (number, alt) in enumerate(zip(numbers, alts, strict=True))
    }
