"""Genotypes of a subset alone, to be held against those of bcftools."""

import re
from collections import Counter
from collections.abc import Sequence

from tests.genomics.expected import Site, rows_of
from tests.genomics.values import carried_by, genotype_of, version_of


def of_records(
    text: str, *, with_phase: bool
) -> Counter[tuple[str, int, str, str, str]]:
    """Return contig, shortest form and genotypes of each record of a subset.

    Without phase all genotypes are told as unphased.

    No allele of it is uncarried, but REF may be longer than these need. Records with
    an allele that other values than genotypes tell of are left out.
    """
    found: Counter[tuple[str, int, str, str, str]] = Counter()
    for row in rows_of(text):
        if row[8].split(":")[0] != "GT":
            continue
        numbers = re.findall(r"\d+", " ".join(cell.split(":")[0] for cell in row[9:]))
        if len({*numbers} - {"0"}) <= row[4].count(","):
            continue
        site = Site(row, range(1, row[4].count(",") + 2))
        cells = " ".join(cell.partition(":")[0] for cell in row[9:])
        if not with_phase:
            # bcftools leaves out a mark before the first allele, whatever it says.
            cells = re.sub("(^| )/", r"\1", cells.replace("|", "/"))
        found[(row[0], site.pos, site.ref, ",".join(site.alts), cells)] += 1
    return found


def alone(text: str, names: Sequence[str]) -> str:
    """Return the text with GT alone, and only records whose carriers GT or LGT tell."""
    version = version_of(text)
    columns = next(line for line in text.splitlines() if line.startswith("#CHROM"))
    places = [columns.split("\t").index(name, 9) - 9 for name in names]
    lines = []
    for line in text.splitlines():
        row = line.split("\t")
        if line[0] != "#":
            keys, alts = row[8].split(":"), row[4].split(",")
            alts = [] if alts == ["."] else alts
            cells = [dict(zip(keys, c.split(":"), strict=False)) for c in row[9:]]
            genotypes = [genotype_of(cell, keys, len(alts)) for cell in cells]
            if None in genotypes:
                continue
            called, own = set[int](), set[int]()
            for place in places:
                called |= {int(n) for n in re.findall(r"\d+", genotypes[place] or "")}
                own |= carried_by(cells[place], keys, alts, version) or set()
            if own != called - {0}:
                continue
            row[8:] = ["GT", *(genotype or "." for genotype in genotypes)]
        lines.append("\t".join(row))
    return "\n".join([*lines, ""])
