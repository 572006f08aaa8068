"""A second opinion on releases, written apart from the engine and much simpler.

Each ALT allele is told by itself, in its own shortest form, so that padding and allele
numbers drop out: a genotype becomes its phase marks and the alleles it stands for. The
same telling of the source (or of bcftools' output) and of the release must agree.
"""

import contextlib
import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tests.genomics.values import (
    Version,
    carried_by,
    genotype_of,
    genotypes_in_order,
    left_of,
    listed,
    version_of,
)

Allele = tuple[str, ...]
REF: Allele = ("ref",)
MISSING: Allele = (".",)

NUMBER = {
    "AD": "R",
    "DP": "1",
    "GQ": "1",
    "PL": "G",
    "GL": "G",
    "GP": "G",
    "DS": "A",
    "FT": "1",
    "LAD": "R",
    "LPL": "G",
    "LGL": "G",
    "LGP": "G",
    "EC": "A",
    "LEC": "A",
    "HDS": "H",
    "CN": "1",
}
_LOCAL = ("LAD", "LPL", "LGL", "LGP", "LEC")
_TEXT = ("FT",)


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One sample at one record, without allele numbers."""

    marks: str
    alleles: tuple[Allele, ...]
    values: tuple[tuple[str, object], ...]


def samples_of(text: str) -> list[str]:
    """Return the sample names in the #CHROM line."""
    line = next(line for line in text.splitlines() if line.startswith("#CHROM"))
    return line.split("\t")[9:]


def tell(
    text: str,
    samples: Sequence[str],
    *,
    with_values: bool = True,
    as_numbers: bool = False,
) -> Counter[tuple[str, tuple[Told, ...]]]:
    """Return each carried record's contig and what it says of these samples.

    `as_numbers` compares -0.00 and -0 as equal: bcftools writes numbers its own way.
    """
    names = samples_of(text)
    places = [names.index(name) for name in samples]
    read = _number if as_numbers else str
    version = version_of(text)
    told: Counter[tuple[str, tuple[Told, ...]]] = Counter()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        keys = columns[8].split(":")
        cells = [
            dict(zip(keys, columns[9 + place].split(":"), strict=False))
            for place in places
        ]
        alts = columns[4].split(",")
        carried = set[int]()
        for cell in cells:
            carried |= carried_by(cell, keys, alts, version) or set()
        if carried:
            named = {".": MISSING, "": MISSING, "0": REF}
            for number, alt in enumerate(alts, 1):
                named[str(number)] = tell_allele(int(columns[1]), columns[3], alt)
            kept = [0, *sorted(carried)] if with_values else None
            row = tuple(
                tell_cell(
                    len(alts),
                    named,
                    cell,
                    kept,
                    read,
                    genotype=genotype_of(cell, keys, len(alts)),
                    version=version,
                )
                for cell in cells
            )
            told[columns[0], row] += 1
    return told


def tell_cell(
    alt_count: int,
    named: Mapping[str, Allele],
    cell: Mapping[str, str],
    kept: list[int] | None,
    read: Callable[[str], object],
    *,
    genotype: str | None,
    version: Version,
) -> Told:
    """Tell a sample's genotype and, for the alleles kept, its values."""
    values = {}
    if kept is not None:
        for key, value in cell.items():
            if key in NUMBER and key not in _LOCAL:
                found = tell_value(
                    key, value, alt_count, kept, named, genotype or ".", read, version
                )
                if found is not None:
                    values[key] = found
        values |= _tell_local(
            alt_count, cell, named, kept, genotype or ".", read, version
        )
    if genotype is None:
        return Told("", (), tuple(sorted(values.items())))
    marks, name = tell_phase(genotype, cell)
    if name is not None and kept is not None:
        values["PS"] = name
    alleles = tuple(named[part] for part in re.findall(r"\d+|\.", genotype) or [""])
    return Told(marks, alleles, tuple(sorted(values.items())))


def tell_phase(genotype: str, cell: Mapping[str, str]) -> tuple[str, str | None]:
    """Tell the marks between alleles as VCF 4.3 has them, and the name of the set."""
    between = re.sub(r"[^/|]", "", genotype[1:])
    first = "/" if "/" in between else "|"
    unphased = "/" * len(between)
    if genotype[:1] in ("/", "|") and genotype[0] != first:
        return unphased, None
    is_called = re.search(r"\d", genotype) is not None
    if "|" not in between and not (is_called and first == "|"):
        return between, None
    name, names = cell.get("PS", ""), cell.get("PSL", "")
    if not set(names) <= {".", ","}:
        listed = names.split(",")
        if len(listed) != len(between) + 1 or not set(name) <= {".", ","}:
            return unphased, None
        pairs = zip(first + between, listed, strict=True)
        own = {entry for mark, entry in pairs if mark == "|"}
        if len(own) > 1 or own <= {".", "", ".."}:
            return unphased, None
        return between, f"list {own.pop()}"
    return between, None if set(name) <= {".", ","} else name


def _tell_local(
    alt_count: int,
    cell: Mapping[str, str],
    named: Mapping[str, Allele],
    kept: list[int],
    genotype: str,
    read: Callable[[str], object],
    version: Version,
) -> dict[str, object]:
    """Tell the values that speak of the alleles that LAA lists, and of no others."""
    numbers = listed(cell, alt_count)
    if numbers is None:
        return {}
    mine = {"0": REF, ".": MISSING, "": MISSING}
    mine |= {
        str(n): named.get(numbers[n - 1], MISSING) for n in range(1, len(numbers) + 1)
    }
    staying = [0] + [
        place for place, number in enumerate(numbers, 1) if int(number) in kept
    ]
    values: dict[str, object] = {}
    if len(staying) > 1:
        values["LAA"] = tuple(mine[str(place)] for place in staying[1:])
    for key in _LOCAL:
        if key in cell:
            found = tell_value(
                key, cell[key], len(numbers), staying, mine, genotype, read, version
            )
            if found is not None:
                values[key] = found
    return values


def tell_allele(pos: int, ref: str, alt: str) -> Allele:
    """Tell one ALT in its own shortest form."""
    if alt == "*":
        return ("*",)
    if not alt.isalpha():
        mate = re.search(r"[\[\]].*[\[\]]", alt)
        return (str(pos), mate[0] if mate else alt)
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        ref, alt, pos = ref[1:], alt[1:], pos + 1
    return (str(pos), ref, alt)


def tell_value(
    key: str,
    value: str,
    alt_count: int,
    kept: list[int],
    named: Mapping[str, Allele],
    genotype: str,
    read: Callable[[str], object],
    version: Version,
) -> object | None:
    """Tell a value by allele or by genotype; None when missing or of wrong length."""
    items = value.split(",")
    if set(items) <= {".", ""} or not (key in _TEXT or all(map(_is_number, items))):
        return None
    match NUMBER[key]:
        case "R":
            slots: list[tuple[int, ...]] = [(n,) for n in range(alt_count + 1)]
        case "A":
            slots = [(n,) for n in range(1, alt_count + 1)]
        case "G":
            ploidy = len(re.findall(r"\d+|\.", genotype))
            if genotype in (".", ""):  # of any ploidy: the count tells
                ploidy = _told_ploidy(alt_count, len(items))
            if not ploidy:
                return None
            slots = genotypes_in_order(alt_count, ploidy)
        case "H":
            return _tell_haplotypes(items, alt_count, kept, named, genotype, read)
        case _:
            return read(value) if len(items) == 1 else None
    if len(items) != len(slots):
        return None
    if key in ("GP", "LGP"):
        is_kept = [set(slot) <= set(kept) for slot in slots]
        left = left_of(items, is_kept, version)
        if left is None:
            return None
        slots = [slot for slot, stays in zip(slots, is_kept, strict=True) if stays]
        items = left
    told = {
        # Of a lone missing genotype nobody knows how often it would be REF.
        tuple(sorted(named[str(n)] for n in slot)) if any(slot) else (REF,): read(item)
        for slot, item in zip(slots, items, strict=True)
        if set(slot) <= set(kept)
    }
    if set(told.values()) <= {"."}:
        return None
    return tuple(sorted(told.items()))


def _tell_haplotypes(
    items: Sequence[str],
    alt_count: int,
    kept: Sequence[int],
    named: Mapping[str, Allele],
    genotype: str,
    read: Callable[[str], object],
) -> object | None:
    ploidy, rest = divmod(len(items), alt_count) if alt_count else (0, 1)
    known = len(re.findall(r"\d+|\.", genotype))
    if rest or not 1 <= ploidy <= 8 or (genotype != "." and ploidy != known):
        return None
    told = tuple(
        (place // alt_count, named[str(place % alt_count + 1)], read(item))
        for place, item in enumerate(items)
        if place % alt_count + 1 in kept
    )
    return None if {item for *_, item in told} <= {"."} else told


def _is_number(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return text == "." or isinstance(float(text), float)
    return False


def _told_ploidy(alt_count: int, entries: int) -> int:
    for ploidy in range(1, 9):
        if len(genotypes_in_order(alt_count, ploidy)) == entries:
            return ploidy
    return 0


def _number(text: str) -> object:
    try:
        return f"{float(text) + 0.0:.5g}"
    except ValueError:
        return text
