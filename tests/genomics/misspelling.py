"""The same upload as other programs spell it: contigs, filters, header lines, bases.

What intake reads with a warning must come to what the plain upload comes to.
"""

import random
import re
from collections.abc import Mapping, Sequence

# Of GRCh38; written down apart from the product's table.
OTHER_NAMES: Mapping[str, Sequence[str]] = {
    "1": ("01", "NC_000001.11", "CM000663.2"),
    "X": ("23", "0X", "NC_000023.11", "CM000685.2"),
    "Y": ("24", "0Y", "NC_000024.10", "CM000686.2"),
    "MT": ("26", "0M", "NC_012920.1", "J01415.2"),
    "chr2": ("chr02", "NC_000002.12"),
    "chrM": ("chr26", "chr0M"),
}
_PARTS_OF_X = ("25", "XY", "PAR1")
# No definition of a key that records use.
_HEADER = (
    '##INFO=<ID=LOOSE,Number=1,Type=String,Description="a "b", c">',
    "##INFO=<ID=LOOSER,Number=.,Type=string,Description=a, b>",
    "##INFO=<ID=BARE>",
    '##FORMAT=<ID=ZZ,Description="x">  ',
    '##FILTER=<ID=QD<2.0,Description="QD < 2.0">',
    "##made without a sign of equality",
)


def misspelt(rng: random.Random, lines: Sequence[str]) -> list[str]:
    """Return the lines of an upload, sorted by contig, in another spelling."""
    header = [line for line in lines if line.startswith("##")]
    names = next(line for line in lines if line.startswith("#CHROM"))
    rows = [line.split("\t") for line in lines if line[0] != "#"]
    for row in rows:
        _spell(rng, row)
    declared = re.findall(r"(?m)^##contig=<ID=([^,>]+)", "\n".join(header))
    contigs = dict.fromkeys([*declared, *(row[0] for row in rows)])
    is_prefixed = {name.startswith("chr") for name in contigs if name in OTHER_NAMES}
    spelt = {}
    if len(is_prefixed) == 1:  # else the file has two styles of its own
        accessions = is_prefixed == {False} and rng.random() < 0.3
        for name in contigs:
            if name in OTHER_NAMES and rng.random() < 0.7:
                fitting = [
                    other
                    for other in OTHER_NAMES[name]
                    if ("." in other) is accessions
                ]  # fmt: skip
                spelt[name] = rng.choice(fitting or [name])
    rows, part = _apart(rng, rows)
    if part:
        header.append(f"##contig=<ID={part}>")
        header.append(f"##contig=<ID={spelt.get('X', 'X')}>")
    header = [*header[:1], *rng.sample(_HEADER, 2), *header[1:]]
    return [
        *(_renamed_header(line, spelt) for line in header),
        names,
        *("\t".join(_renamed(row, spelt)) for row in rows),
    ]


def _spell(rng: random.Random, row: list[str]) -> None:
    if "N" in row[3] and rng.random() < 0.5:
        row[3] = row[3].replace("N", rng.choice("RYSWKMBDHV"))
    if rng.random() < 0.2:
        row[6] = f" {row[6]} " if row[6] != "." else row[6]
    if rng.random() < 0.2:
        entries = [] if row[7] == "." else row[7].split(";")
        odd = rng.choice(["c.*222G>A", "X1=1;X1=2", "A B=3"])
        row[7] = ";".join([*entries, odd, *entries[:1]])


def _apart(
    rng: random.Random, rows: list[list[str]]
) -> tuple[list[list[str]], str | None]:
    """Put some records of X on a contig of their own, behind or before it."""
    if not any(row[0] == "X" for row in rows) or rng.random() < 0.4:
        return rows, None
    part = rng.choice(_PARTS_OF_X)
    moved = [row for row in rows if row[0] == "X" and rng.random() < 0.5]
    rest = [row for row in rows if not any(row is each for each in moved)]
    for row in moved:
        row[0] = part
    return ([*rest, *moved] if rng.random() < 0.7 else [*moved, *rest]), part


def _renamed_header(line: str, spelt: Mapping[str, str]) -> str:
    match = re.match(r"##contig=<ID=([^,>]+)(.*)", line)
    if match is None:
        return line
    return f"##contig=<ID={spelt.get(match[1], match[1])}{match[2]}"


def _renamed(row: Sequence[str], spelt: Mapping[str, str]) -> list[str]:
    def mate(match: re.Match[str]) -> str:
        return f"{match[1]}{spelt.get(match[2], match[2])}{match[3]}"

    alts = re.sub(r"([\[\]])([^\[\],]+)(:[0-9]+[\[\]])", mate, row[4])
    return [spelt.get(row[0], row[0]), *row[1:4], alts, *row[5:]]
