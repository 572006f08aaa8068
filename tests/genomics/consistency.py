"""What must hold of every release by itself, whatever it was cut from."""

import itertools
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.genomics.checker import samples_of
from tests.genomics.values import TELLERS


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
    is_local = any(re.match("##FORMAT=<ID=[^,]+,Number=L", line) for line in header)
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
    assert all(len(cell) == len(keys) for cell in cells)
    for number, key in enumerate(keys):
        is_listed = key in ("GT", "LAA")
        assert is_listed or any(cell[number] != "." for cell in cells), key
    info = dict(part.partition("=")[::2] for part in columns[7].split(";"))
    if keys[0] == "GT":
        _check_counts(info, keys, cells, len(alts))
    else:
        assert not {"GT", "LGT"} & set(keys)
        assert not {"AC", "AF", "AN"} & set(info)
        assert info["NS"] == str(sum(set(cell) != {"."} for cell in cells))
    assert columns[2] == columns[5] == "."
    assert int(info.get("END", 2**31)) > int(columns[1]) + len(columns[3]) - 1
    types = ("DEL", "INS", "DUP", "INV", "CNV", "BND", "CTX", "TRA")
    assert info.get("SVTYPE", "DEL") in types
    lengths = info.get("SVLEN", ".").split(",")
    for alt, length in zip(alts, lengths, strict=len(lengths) > 1):
        assert not alt.startswith("<DEL") or length[0] in "-."
        assert not re.match(r"<(INV|CNV|BND|TRA|CTX)|.*[][]", alt) or length == "."
    check_minimal(columns[3], alts)


def _check_counts(
    info: Mapping[str, str],
    keys: Sequence[str],
    cells: Sequence[Sequence[str]],
    alts: int,
) -> None:
    called = [re.findall(r"\d+|\.", cell[0]) for cell in cells]
    flat = [allele for genotype in called for allele in genotype if allele != "."]
    counts = [flat.count(str(number)) for number in range(1, alts + 1)]
    tellers = [number for number, key in enumerate(keys) if key in TELLERS]
    assert all(counts) or any(
        not re.search(r"\d", cell[0]) and {cell[n] for n in tellers} - {"."}
        for cell in cells
    )
    assert info["AC"] == ",".join(map(str, counts))
    assert info["AN"] == str(len(flat))
    assert info["NS"] == str(sum(any(a != "." for a in g) for g in called))
    for text, count in zip(info["AF"].split(","), counts, strict=True):
        assert abs(Fraction(text) - Fraction(count, len(flat))) < Fraction(1, 10**6)


def check_sets(columns: Sequence[str], highest: dict[tuple[int, str], int]) -> None:
    """Assert marks of VCF 4.3, and sets numbered as they come, phased ones alone."""
    keys = columns[8].split(":")
    if keys[0] != "GT":
        assert "PS" not in keys
        return
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
