"""A second opinion on releases, written apart from the engine and much simpler.

Each ALT allele is told by itself, in its own shortest form, so that padding and allele
numbers drop out: a genotype becomes its phase marks and the alleles it stands for. The
same telling of the source (or of bcftools' output) and of the release must agree.
"""

import contextlib
import dataclasses
import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

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
}
_LOCAL = ("LAD", "LPL", "LGL")
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
        if "GT" not in keys:
            continue
        carried = {
            int(number)
            for cell in cells
            for number in re.findall(r"\d+", cell["GT"])
            if number != "0"
        }
        if carried:
            alts = columns[4].split(",")
            named = {".": MISSING, "": MISSING, "0": REF}
            for number, alt in enumerate(alts, 1):
                named[str(number)] = tell_allele(int(columns[1]), columns[3], alt)
            kept = [0, *sorted(carried)] if with_values else None
            row = tuple(tell_cell(len(alts), named, cell, kept, read) for cell in cells)
            told[columns[0], row] += 1
    return told


def tell_cell(
    alt_count: int,
    named: Mapping[str, Allele],
    cell: Mapping[str, str],
    kept: list[int] | None,
    read: Callable[[str], object],
) -> Told:
    """Tell a sample's genotype and, for the alleles kept, its values."""
    genotype = cell["GT"]
    alleles = tuple(named[part] for part in re.findall(r"\d+|\.", genotype) or [""])
    values = {}
    if kept is not None:
        for key, value in cell.items():
            if key in NUMBER and key not in _LOCAL:
                found = tell_value(key, value, alt_count, kept, named, genotype, read)
                if found is not None:
                    values[key] = found
        values |= _tell_local(alt_count, cell, named, kept, genotype, read)
    marks, name = tell_phase(cell)
    if name is not None and kept is not None:
        values["PS"] = name
    return Told(marks, alleles, tuple(sorted(values.items())))


def tell_phase(cell: Mapping[str, str]) -> tuple[str, str | None]:
    """Tell the marks between alleles as VCF 4.3 has them, and the name of the set."""
    genotype = cell["GT"]
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
) -> dict[str, object]:
    """Tell the values that speak of the alleles that LAA lists, and of no others."""
    if "LAA" not in cell:
        return {}
    listed = [] if cell["LAA"] in (".", "") else cell["LAA"].split(",")
    if not set(listed) <= set(map(str, range(1, alt_count + 1))) or (
        len(set(listed)) < len(listed)
    ):
        return {}
    mine = {"0": REF, ".": MISSING, "": MISSING}
    mine |= {
        str(n): named.get(listed[n - 1], MISSING) for n in range(1, len(listed) + 1)
    }
    staying = [0] + [
        place for place, number in enumerate(listed, 1) if int(number) in kept
    ]
    values: dict[str, object] = {}
    if len(staying) > 1:
        values["LAA"] = tuple(mine[str(place)] for place in staying[1:])
    for key in _LOCAL:
        if key in cell:
            value = cell[key]
            found = tell_value(key, value, len(listed), staying, mine, genotype, read)
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
        case _:
            return read(value) if len(items) == 1 else None
    if len(items) != len(slots):
        return None
    told = {
        # Of a lone missing genotype nobody knows how often it would be REF.
        tuple(sorted(named[str(n)] for n in slot)) if any(slot) else (REF,): read(item)
        for slot, item in zip(slots, items, strict=True)
        if set(slot) <= set(kept)
    }
    if set(told.values()) <= {"."}:
        return None
    return tuple(sorted(told.items()))


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


@functools.cache
def genotypes_in_order(alt_count: int, ploidy: int) -> list[tuple[int, ...]]:
    """List genotypes by the recursive rule of VCF 4.3, section 1.6.2."""
    if ploidy == 0:
        return [()]
    return [
        (*rest, last)
        for last in range(alt_count + 1)
        for rest in genotypes_in_order(last, ploidy - 1)
    ]


def check_self_consistent(text: str) -> None:
    """Assert what must hold of a release whatever it was cut from."""
    names = samples_of(text)
    assert names == sorted(names)
    lines = text.splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert lines[: len(header)] == header
    allowed = re.compile(
        r"##fileformat=VCFv4\.[35]|##reference=GRCh3[78]|##contig=<ID=.*>"
        r"|##(INFO|FORMAT|FILTER)=<ID=.*>|#CHROM\t.*"
    )
    assert all(allowed.fullmatch(line) for line in header)
    declared = {
        (match[1], match[2])
        for line in header
        if (match := re.match(r"##(\w+)=<ID=([^,>]+)", line))
    }
    used = set()
    order = []
    numbers: dict[tuple[int, str], int] = {}
    for line in lines[len(header) :]:
        columns = line.split("\t")
        used.add(("contig", columns[0]))
        used |= {("INFO", part.split("=")[0]) for part in columns[7].split(";")}
        used |= {("FORMAT", key) for key in columns[8].split(":")}
        used |= {("FILTER", name) for name in columns[6].split(";")}
        order.append((columns[0], int(columns[1]), columns[3], columns[4]))
        check_record(columns)
        check_sets(columns, numbers)
    is_local = any(kind == "FORMAT" and key.startswith("L") for kind, key in declared)
    assert lines[0] == f"##fileformat=VCFv4.{5 if is_local else 3}"
    assert declared == used - {("FILTER", "."), ("FILTER", "PASS")}
    contigs = [key for key, _ in itertools.groupby(order, key=lambda item: item[0])]
    assert len(contigs) == len(set(contigs))
    for _, group in itertools.groupby(order, key=lambda item: item[0]):
        records = list(group)
        assert records == sorted(records)


def check_record(columns: Sequence[str]) -> None:
    """Assert counts, minimal form, carried alleles and fields of one record."""
    alts = columns[4].split(",")
    keys = columns[8].split(":")
    cells = [cell.split(":") for cell in columns[9:]]
    assert keys[0] == "GT"
    assert all(len(cell) == len(keys) for cell in cells)
    for number, key in enumerate(keys):
        is_listed = key in ("GT", "LAA")
        assert is_listed or any(cell[number] != "." for cell in cells), key
    called = [re.findall(r"\d+|\.", cell[0]) for cell in cells]
    flat = [allele for genotype in called for allele in genotype if allele != "."]
    counts = [flat.count(str(number)) for number in range(1, len(alts) + 1)]
    assert all(counts)
    info = dict(part.partition("=")[::2] for part in columns[7].split(";"))
    assert info["AC"] == ",".join(map(str, counts))
    assert info["AN"] == str(len(flat))
    assert info["NS"] == str(sum(any(a != "." for a in g) for g in called))
    for text, count in zip(info["AF"].split(","), counts, strict=True):
        assert abs(Fraction(text) - Fraction(count, len(flat))) < Fraction(1, 10**6)
    assert columns[2] == columns[5] == "."
    assert int(info.get("END", 2**31)) > int(columns[1]) + len(columns[3]) - 1
    types = ("DEL", "INS", "DUP", "INV", "CNV", "BND", "CTX", "TRA")
    assert info.get("SVTYPE", "DEL") in types
    lengths = info.get("SVLEN", ".").split(",")
    for alt, length in zip(alts, lengths, strict=len(lengths) > 1):
        assert not alt.startswith("<DEL") or length[0] in "-."
        assert not re.match(r"<(INV|CNV|BND|TRA|CTX)|.*[][]", alt) or length == "."
    check_minimal(columns[3], alts)


def check_sets(columns: Sequence[str], highest: dict[tuple[int, str], int]) -> None:
    """Assert marks of VCF 4.3, and sets numbered as they come, phased ones alone."""
    keys = columns[8].split(":")
    for sample, cell in enumerate(columns[9:]):
        values = dict(zip(keys, cell.split(":"), strict=True))
        genotype = values["GT"]
        assert genotype[0] not in "/|"
        number = values.get("PS", ".")
        if number != ".":
            assert "|" in genotype or genotype.isdigit()
            last = highest.get((sample, columns[0]), 0)
            assert 1 <= int(number) <= last + 1
            highest[sample, columns[0]] = max(last, int(number))


def check_minimal(ref: str, alts: Sequence[str]) -> None:
    """Assert that no base can be cut off the alleles."""
    bases = [alt for alt in alts if alt.isalpha()]
    is_free = all(alt.isalpha() or alt == "*" for alt in alts)
    if not bases and not any(alt[0] in "[]." for alt in alts):
        assert len(ref) == 1
    elif len(bases) == len([alt for alt in alts if alt[0] not in "<*"]):
        texts = [ref, *bases]
        if min(map(len, texts)) > 1:
            assert len({text[-1] for text in texts}) > 1
            assert not is_free or len({text[0] for text in texts}) > 1
