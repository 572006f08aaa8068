"""Read what people type to name parts of a genome: gene symbols and BED lines.

The one door to `genomics.regions` and `genomics.genes` for rooms that may not know
genomics. Regions are 0-based and half-open; chromosomes are named as the GRC does.
"""

import re
from collections.abc import Mapping
from typing import Any

from gemmule.catalog.errors import Problem, RegionsInvalid
from genomics import contig_names, genes
from genomics import regions as bed
from genomics.builds import Build
from genomics.errors import BedInvalid, UnknownGene
from genomics.regions import Region

DEFAULT_FLANK = 50_000
_MAX_PROBLEMS = 20
_MAX_SYMBOL_LENGTH = 40
_BASES = r"[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,10}"
_REGION = re.compile(rf"([^\s:,]+):({_BASES})-({_BASES})")
_NAMES = re.compile(rf"[^\s:,]+:(?:{_BASES})-(?:{_BASES})(?=[\s,]|$)|[^\s,]+")


def parse(text: str, build: str) -> list[Region]:
    r"""Return the regions a text names, merged and in the order of the genome.

    One gene symbol, one region such as chr17:43,044,295-43,125,483 (counted from 1,
    its end included) or one BED line per line, in any mixture; symbols and regions may
    also stand side by side, parted by commas or blanks. Empty lines and `#` comments
    are passed over. Raises RegionsInvalid with every fault (up to 20), its line and
    its column (which part of the line), and for an unknown gene the genes that go by
    the name too or are spelt alike.

    >>> [str(region) for region in parse("MT-ND1\nchr2\t10\t20\n3:7-8", "GRCh38")]
    ['2:11-20', '3:7-8', 'MT:3307-4262']
    """
    known = _build(build)
    if len(text) > bed.MAX_BED_CHARACTERS:
        raise _refusal(
            "too-long",
            f"expected at most {bed.MAX_BED_CHARACTERS:,} characters, "
            f"got {len(text):,}",
        )
    found: list[Region] = []
    problems: list[Problem] = []
    lines = text.removeprefix("\ufeff").split("\n")
    for number, line in enumerate(lines, start=1):
        try:
            found += _line(line.rstrip("\r"), number, known)
        except RegionsInvalid as error:
            problems += error.problems
        if len(problems) >= _MAX_PROBLEMS:
            break
        if len(found) > bed.MAX_REGIONS:
            raise _refusal(
                "too-many", f"expected at most {bed.MAX_REGIONS:,} regions", number
            )
    if problems:
        raise RegionsInvalid(problems[:_MAX_PROBLEMS])
    if not found:
        raise _refusal("empty", "expected a gene symbol or a BED line, got none")
    return bed.merge(found)


def of_gene(symbol: str, build: str) -> list[Region]:
    """Return where a gene lies; raises RegionsInvalid for what is no gene's symbol."""
    return _gene(symbol, 1, 1, _build(build))


def withheld(wish: Mapping[str, Any], build: str) -> list[Region]:
    """Return the regions a donor keeps back, flanks included, merged.

    `wish` is `Consent.withheld` in the form of `consent.withheld`. The flank widens
    regions too: rather more than was asked than less. Raises RegionsInvalid when any
    part of the wish cannot be placed in the build; the donor must then be left out.
    """
    known = _build(build)
    flank = wish.get("flank", DEFAULT_FLANK)
    if isinstance(flank, bool) or not isinstance(flank, int) or flank < 0:
        raise _refusal("flank", "expected a flank in bases")
    # Coordinates of another build, or of none, would cut other bases.
    if wish.get("regions") and wish.get("build") != build:
        raise _refusal("build", "expected regions of the dataset's genome build")
    found = []
    for symbol in wish.get("genes") or ():
        found += _gene(str(symbol), 1, 1, known)
    for contig, start_0, end in wish.get("regions") or ():
        found += _bed_line(f"{contig}\t{start_0}\t{end}", 1, known)
    return bed.merge(bed.widen(region, flank, build=known) for region in found)


def _build(build: str) -> Build:
    match build:
        case "GRCh37" | "GRCh38":
            return build
    raise _refusal("build", "expected a genome build, GRCh37 or GRCh38")


def _line(line: str, number: int, build: Build) -> list[Region]:
    parts = line.split()
    if not parts or line.startswith("#") or parts[0] in ("track", "browser"):
        return []
    if _is_bed(line, parts, build):
        return _bed_line(line, number, build)
    found: list[Region] = []
    problems: list[Problem] = []
    # A comma parts names, but stands inside of numbers, too: 43,044,295.
    for column, name in enumerate(_NAMES.findall(line), start=1):
        try:
            if match := _REGION.fullmatch(name):
                found += _region(match, number, column, build)
            else:
                found += _gene(name, number, column, build)
        except RegionsInvalid as error:
            problems += error.problems
        # A pasted page on one line must not be searched for word by word.
        if len(problems) >= _MAX_PROBLEMS:
            break
    if problems:
        raise RegionsInvalid(problems)
    return found


def _region(
    match: re.Match[str], number: int, column: int, build: Build
) -> list[Region]:
    contig, first, last = match[1], *(int(match[n].replace(",", "")) for n in (2, 3))
    try:
        if not 1 <= first <= last:
            raise BedInvalid("expected a first base from 1, and a last one from it on")
        return bed.parse_bed(f"{contig}\t{first - 1}\t{last}", build=build)
    except BedInvalid as error:
        raise _refusal(
            "region", error.message, number, column, match[0][:_MAX_SYMBOL_LENGTH]
        ) from error


def _is_bed(line: str, parts: list[str], build: Build) -> bool:
    """Return whether a line is meant as BED, sound or not, rather than as genes."""
    if "\t" in line.strip():
        return True
    return len(parts) > 1 and (
        parts[1].isdecimal() or contig_names.chromosome_in(build, parts[0]) is not None
    )


def _bed_line(line: str, number: int, build: Build) -> list[Region]:
    try:
        return bed.parse_bed(line, build=build)
    except BedInvalid as error:
        raise _refusal(
            "bed", str(error.message), number, error.column, line[:_MAX_SYMBOL_LENGTH]
        ) from error


def _gene(symbol: str, number: int, column: int, build: Build) -> list[Region]:
    try:
        return genes.resolve_gene(symbol, build)
    except UnknownGene as error:
        raise _unknown(symbol, number, column, build, error) from error


def _unknown(
    symbol: str, number: int, column: int, build: Build, error: UnknownGene
) -> RegionsInvalid:
    shown = symbol if len(symbol) <= _MAX_SYMBOL_LENGTH and symbol.isprintable() else ""
    choices: tuple[str, ...] = ()
    if contig_names.chromosome_in(build, symbol) is not None:
        message = (
            "expected a gene symbol, got a chromosome; write it as BED: "
            "chromosome, start and end, parted by tabs"
        )
    elif error.others:
        choices = tuple(other.symbol for other in error.others)
        called = " and ".join(str(other) for other in error.others)
        asked = "did you mean it" if len(choices) == 1 else "which did you mean"
        message = f"{symbol} is {called}: {asked}?"
    elif ":" in symbol:
        message = (
            "expected a gene symbol, a region or a BED line; write the region as "
            "chromosome, first and last base, such as chr2:38814-46505"
        )
    else:
        message = f"no gene {shown} in {build}" if shown else f"no such gene in {build}"
        choices = error.suggestions[:3] if shown else ()
        near = " or ".join(error.suggestions[:3])
        message += f"; did you mean {near}?" if near else "; give its HGNC symbol"
    return RegionsInvalid(
        [
            Problem(
                code="gene-alias" if error.others and choices else "unknown-gene",
                message=message,
                line=number,
                column=column,
                subject=symbol[:_MAX_SYMBOL_LENGTH],
                choices=choices,
            )
        ]
    )


def _refusal(
    code: str,
    message: str,
    line: int | None = None,
    column: int | None = None,
    subject: str = "",
) -> RegionsInvalid:
    return RegionsInvalid(
        [Problem(code=code, message=message, line=line, column=column, subject=subject)]
    )
