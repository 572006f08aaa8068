"""Hold regions of a genome and read them from BED.

Every region is 0-based and half-open, as BED is. Gene symbols are `genomics.genes`'s
subject; which record lies in a region is the engine's.

Source: GA4GH BED v1.0, with the header lines of the UCSC genome browser.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from genomics import builds, contig_names
from genomics.builds import Build
from genomics.errors import BedInvalid

MAX_REGIONS = 100_000
MAX_BED_CHARACTERS = 16_000_000
# Coordinates of VCF and BAM are 32-bit.
MAX_POSITION = 2**31 - 1

# BED's names, and those of HLA contigs, which hold '*' and ':'.
_CONTIG = re.compile(r"[0-9A-Za-z_.*:|+-]{1,255}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_HEADER_WORDS = ("browser", "track")
_FIRST_COLUMNS = ("contig", "start", "end")


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """Bases start_0 <= base < end of a contig; chromosomes are named as the GRC does.

    >>> str(Region("17", 43044294, 43125483))
    '17:43044295-43125483'
    """

    contig: str
    start_0: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_0 < self.end:
            raise AssertionError("a region holds at least one base from 0 on")

    def __str__(self) -> str:
        """Return the region as people write it, 1-based and inclusive."""
        return f"{self.contig}:{self.start_0 + 1}-{self.end}"

    def __len__(self) -> int:
        return self.end - self.start_0


def parse_bed(
    text: str, *, build: Build | None = None, max_regions: int = MAX_REGIONS
) -> list[Region]:
    r"""Return the regions of a BED text, merged and in the order of the genome.

    Columns may be parted by tabs or, as UCSC allows, by spaces; those past the third
    are ignored, and so are empty lines, `#` comments and `track` and `browser` lines.
    With a build, every contig must be one of its chromosomes and every end within it.
    Raises BedInvalid with the line and the column (of the three) at fault.

    >>> parse_bed("track name=x\nchr17\t43044294\t43125483\tBRCA1\r\n")
    [Region(contig='17', start_0=43044294, end=43125483)]
    """
    if len(text) > MAX_BED_CHARACTERS:
        raise BedInvalid(
            f"expected at most {MAX_BED_CHARACTERS} characters of BED, got {len(text)}"
        )
    regions: list[Region] = []
    # Not splitlines: it also breaks at form feeds and Unicode separators, and then
    # line numbers would not be those of the user's editor.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        columns = _columns(line.rstrip("\r"))
        if columns is None:
            continue
        if len(regions) == max_regions:
            raise BedInvalid(f"expected at most {max_regions} regions", line=number)
        regions.append(_region(columns, number, build))
    if not regions:
        raise BedInvalid("expected at least one region, got none")
    return merge(regions)


def merge(regions: Iterable[Region]) -> list[Region]:
    """Return regions that cover the same bases, disjoint and in the genome's order.

    Regions that touch become one.

    >>> merge([Region("2", 5, 9), Region("1", 0, 4), Region("2", 0, 5)])
    [Region(contig='1', start_0=0, end=4), Region(contig='2', start_0=0, end=9)]
    """
    merged: list[Region] = []
    for region in sorted(regions, key=_genome_order):
        last = merged[-1] if merged else None
        if last and last.contig == region.contig and region.start_0 <= last.end:
            merged[-1] = Region(last.contig, last.start_0, max(last.end, region.end))
            continue
        merged.append(region)
    return merged


def widen(region: Region, flank: int, *, build: Build | None) -> Region:
    """Return the region with `flank` more bases on each side, cut at the contig's ends.

    Without a build, or off its chromosomes, only the start can be cut.

    >>> widen(Region("MT", 100, 200), 500, build="GRCh38")
    Region(contig='MT', start_0=0, end=700)
    """
    length = builds.expected_length(build, region.contig) if build else None
    end = min(region.end + flank, MAX_POSITION if length is None else length)
    return Region(region.contig, max(region.start_0 - flank, 0), max(end, region.end))


def _genome_order(region: Region) -> tuple[int, str, int, int]:
    try:
        rank = builds.CHROMOSOMES.index(region.contig)
    except ValueError:
        rank = len(builds.CHROMOSOMES)
    return (rank, region.contig, region.start_0, region.end)


def _columns(line: str) -> list[str] | None:
    """Return the columns of a line, None for one that holds no region."""
    if not line.strip() or line.startswith("#"):
        return None
    if line.split(maxsplit=1)[0] in _HEADER_WORDS:
        return None
    return line.split("\t") if "\t" in line else line.split()


def _region(columns: list[str], number: int, build: Build | None) -> Region:
    if len(columns) < len(_FIRST_COLUMNS):
        missing = _FIRST_COLUMNS[len(columns)]
        raise BedInvalid(
            f"expected contig, start and end, got {len(columns)} column(s): "
            f"the {missing} is missing; columns are parted by tabs",
            line=number,
            column=len(columns) + 1,
        )
    contig = _contig(columns[0], number, build)
    start_0 = _position(columns[1], number, 2)
    end = _position(columns[2], number, 3)
    if end <= start_0:
        raise BedInvalid(
            f"expected an end above the start {start_0}, got {end}: BED starts at 0 "
            "and its end is not included",
            line=number,
            column=3,
        )
    length = builds.expected_length(build, contig) if build else None
    if length is not None and end > length:
        raise BedInvalid(
            f"expected an end of at most {length}, the length of {contig} in {build}, "
            f"got {end}",
            line=number,
            column=3,
        )
    return Region(contig, start_0, end)


def _contig(name: str, number: int, build: Build | None) -> str:
    if not _CONTIG.fullmatch(name):
        raise BedInvalid(
            "expected the name of a contig, such as chr17 or 17", line=number, column=1
        )
    if build is None:
        return builds.contig_key(name)
    chromosome = contig_names.chromosome_in(build, name)
    if contig_names.is_code(name):
        chromosome = (
            None  # in a file chr23 may be X, in a request it is more likely a slip
        )
    if chromosome is None:
        accession = contig_names.named_by_accession(name)
        others = " and ".join(accession[1]) if accession else ""
        raise BedInvalid(
            f"expected a chromosome of {build} (1 to 22, X, Y or MT, with or without "
            f"chr), got {name}" + (f", which belongs to {others}" if others else ""),
            line=number,
            column=1,
        )
    return chromosome


def _position(text: str, number: int, column: int) -> int:
    name = _FIRST_COLUMNS[column - 1]
    # int() would also take signs, blanks, underscores and digits of other scripts.
    if not _NUMBER.fullmatch(text.strip(" ")):
        raise BedInvalid(
            f"expected a whole number from 0 as {name}", line=number, column=column
        )
    position = int(text)
    if position > MAX_POSITION:
        raise BedInvalid(
            f"expected a {name} of at most {MAX_POSITION}, got {position}",
            line=number,
            column=column,
        )
    return position
