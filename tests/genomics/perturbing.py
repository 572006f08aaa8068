"""The same call set with other strangers in it: whatever of theirs may be different is.

Included donors keep what they have; other people's columns go, come, move and change,
and with them what a joint call set says of them elsewhere in a record or in the header.
Phase sets of the included get other names, and what they withhold other sets.
"""

import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tests.genomics.sources import SECRET_BASES, STRANGER

_FIXED = 9
# What tells how far an allele reaches, or what it is: not the cohort's to change.
_ALLELES_OWN = re.compile(
    r"(?:END|SVLEN|SVTYPE|CN|HOMLEN|HOMSEQ|CIPOS|CIEND|CIPOS95|CIEND95|CHR2|POS2|END2"
    r"|SOURCE|PARTS|MATEID|PARID)\b"
)


@dataclass(slots=True)
class _Row:
    """One record; `own` and `others` are cells by sample."""

    fixed: list[str]
    own: dict[str, str]
    others: list[str]


Spans = Sequence[tuple[str, int, int]]  # contig, start_0, end


def perturbed(
    rng: random.Random,
    text: str,
    included: Collection[str],
    withheld: Mapping[str, Spans],
) -> str:
    """Return the call set with the same included donors among other people.

    `withheld` has the spans that some of the included keep back.
    """
    lines = text.splitlines()
    header = [line for line in lines if line.startswith("##")]
    names = next(line for line in lines if line.startswith("#CHROM")).split("\t")
    rows = [_row(line, names, included) for line in lines if line[0] != "#"]
    _rename_sets(rng, rows, withheld)
    rows = _with_withheld(rng, rows, withheld)
    count = rng.randint(0, 6)
    for row in rows:
        row.others = [_cell(rng, row) for _ in range(count)]
        _change(rng, row)
    if count:
        rows = _with_private(rng, rows, count)
    strangers = [f"{STRANGER}{rng.randrange(10**9)}" for _ in range(count)]
    columns = [*included, *strangers]
    rng.shuffle(columns)
    written = [
        *header[:1],
        *_header(rng, header[1:], strangers),
        "\t".join([*names[:_FIXED], *columns]),
    ]
    for row in rows:
        cells = row.own | dict(zip(strangers, row.others, strict=True))
        written.append("\t".join([*row.fixed, *(cells[name] for name in columns)]))
    return "\n".join([*written, ""])


def _row(line: str, names: list[str], included: Collection[str]) -> _Row:
    columns = line.split("\t")
    cells = dict(zip(names[_FIXED:], columns[_FIXED:], strict=True))
    return _Row(columns[:_FIXED], {name: cells[name] for name in included}, [])


def _rename_sets(
    rng: random.Random, rows: list[_Row], withheld: Mapping[str, Spans]
) -> None:
    """Give each set of a person and contig a new name, and withheld sites any."""
    names: dict[tuple[str, str, str, str], str] = {}
    for row in rows:
        keys = row.fixed[8].split(":")
        for name, cell in row.own.items():
            values = cell.split(":")
            is_withheld = len(row.fixed[3]) == 1 and _is_within(
                row, withheld.get(name, ())
            )
            for key in {"PS", "PSL"} & set(keys[: len(values)]):
                at = keys.index(key)
                # A list in PS is one name.
                entries = values[at].split(",") if key == "PSL" else [values[at]]
                if is_withheld and rng.random() < 0.5:
                    entries = [str(rng.randint(1, 9)) for _ in entries]
                values[at] = ",".join(
                    names.setdefault(
                        (name, row.fixed[0], key, entry), str(rng.randrange(10**15))
                    )
                    if entry.strip(".,")
                    else entry
                    for entry in entries
                )
            row.own[name] = ":".join(values)


def _is_within(row: _Row, spans: Spans) -> bool:
    contig, place = row.fixed[0], max(int(row.fixed[1]) - 1, 0)
    return any(name == contig and a <= place < b for name, a, b in spans)


def _with_withheld(
    rng: random.Random, rows: list[_Row], withheld: Mapping[str, Spans]
) -> list[_Row]:
    """Return the rows with heterozygotes that one person alone has, and withholds."""
    found = list(rows)
    contigs = list(dict.fromkeys(row.fixed[0] for row in rows))
    for name, spans in withheld.items():
        for contig, start, end in spans:
            if contig in contigs and rng.random() < 0.5:
                place = str(rng.randint(start + 1, end))
                fixed = [contig, place, ".", "A", "C", ".", ".", ".", "GT:PS"]
                own = dict.fromkeys(rows[0].own, "0/0:.") | {name: f"0|1:{place}"}
                found.append(_Row(fixed, own, []))
    found.sort(key=lambda row: (contigs.index(row.fixed[0]), int(row.fixed[1])))
    return found


def _cell(rng: random.Random, row: _Row) -> str:
    """Return a stranger's cell: any genotype of the record's alleles, odd values."""
    keys = row.fixed[8].split(":")
    alts = 0 if row.fixed[4] == "." else row.fixed[4].count(",") + 1
    cells = []
    for key in keys:
        if key == "GT":
            ploidy = rng.choice([1, 2, 2, 2, 3])
            alleles = (
                rng.choice([".", *map(str, range(alts + 1))]) for _ in range(ploidy)
            )
            cells.append(rng.choice("/|").join(alleles))
        elif key == "LGT":
            cells.append(rng.choice([".", "0/1", "0/0", "1|1"]))
        else:
            cells.append(rng.choice([".", "77", "1,2,3"]))
    return ":".join(cells)


def _change(rng: random.Random, row: _Row) -> None:
    changes: list[Callable[[random.Random, _Row], None]] = [
        _new_info,
        _new_key,
        _new_allele,
        _new_tail,
    ]
    for change in changes:
        if rng.random() < 0.5:
            change(rng, row)
    # A mate is found by its id; other ids may be those of strangers' alleles.
    if not row.fixed[2].startswith("m"):
        row.fixed[2] = rng.choice([".", "rs1", f"rs{rng.randrange(99)};secret"])
    row.fixed[5] = rng.choice([".", "1", "99.5"])
    row.fixed[6] = rng.choice([".", "PASS", "strangers_fail"])


def _new_info(rng: random.Random, row: _Row) -> None:
    kept = [entry for entry in row.fixed[7].split(";") if _ALLELES_OWN.match(entry)]
    kept += rng.sample([f"AC={rng.randint(0, 99)}", "AF=0.5", "CSQ=secret", "DB"], 2)
    rng.shuffle(kept)
    row.fixed[7] = ";".join(kept)


def _new_key(rng: random.Random, row: _Row) -> None:
    """Add a key that only strangers have values of."""
    keys = row.fixed[8].split(":")
    key = rng.choice(["PS", "FT", "SECRET"])
    if key in keys or keys == ["."]:
        return
    row.fixed[8] += f":{key}"
    for name, cell in row.own.items():
        if cell.count(":") == len(keys) - 1 and rng.random() < 0.5:
            row.own[name] = f"{cell}:."
    row.others = [f"{cell}:7" for cell in row.others]


def _new_allele(rng: random.Random, row: _Row) -> None:
    """Add an ALT of strangers where no list of values counts alleles."""
    alts = row.fixed[4].split(",")
    if row.fixed[8] != "GT" or row.fixed[4] == "." or not row.others:
        return
    # Nor intervals, of which two may be the one ALT's or all the record's.
    if "SVLEN" in row.fixed[7] or "CI" in row.fixed[7]:
        return
    alts.append(row.fixed[3] + SECRET_BASES)
    row.fixed[4] = ",".join(alts)
    row.others[0] = f"0/{len(alts)}"


def _new_tail(rng: random.Random, row: _Row) -> None:
    """Lengthen REF and all its alleles, as another's long deletion would."""
    alts = row.fixed[4].split(",")
    if not all(alt.isalpha() or alt == "*" for alt in alts):
        return
    tail = "".join(rng.choices("ACGT", k=rng.randint(1, 30)))
    row.fixed[3] += tail
    row.fixed[4] = ",".join(alt if alt == "*" else alt + tail for alt in alts)


def _with_private(rng: random.Random, rows: list[_Row], count: int) -> list[_Row]:
    """Return the rows with sites that only strangers carry, on old and new contigs."""
    found: list[_Row] = []
    for row in rows:
        found.append(row)
        if rng.random() < 0.3:
            found.append(_private(row, row.fixed[0], int(row.fixed[1]), count))
    if rows:
        found += [_private(rows[0], "strangers_1", pos, count) for pos in (1, 1 << 21)]
    return found


def _private(row: _Row, contig: str, pos: int, count: int) -> _Row:
    # It may name an included donor's record as its mate.
    info = f"MATEID={row.fixed[2]};SVTYPE=BND"
    fixed = [contig, str(pos), "private", "C", f"C{SECRET_BASES}", ".", ".", info, "GT"]
    return _Row(fixed, dict.fromkeys(row.own, "0/0"), ["1/1"] * count)


def _header(rng: random.Random, header: list[str], strangers: list[str]) -> list[str]:
    contigs = [line for line in header if line.startswith("##contig")]
    others = [line for line in header if not line.startswith("##contig")]
    for name in strangers:
        others.append(f"##SAMPLE=<ID={name},Description=secret-{rng.random()}>")
        others.append(f'##CommandLine="call --file /home/{name}.bam"')
    others = [line for line in others if rng.random() < 0.9]
    rng.shuffle(others)
    return others + contigs
