"""Write `genomics/data/hgnc_other_names.tsv.gz` from HGNC's complete set.

    uv run python -m tests.genomics.generate_gene_names hgnc_complete_set.tsv.gz

`genomics/data/SOURCE.md` says where that file comes from. One row is a name, what it is
and the symbol it stands for, of the symbols that a shipped gene table has. A name that
HGNC approved for any gene is no other gene's, and one that all tables have as a symbol
is never looked up: their rows are left out.
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from genomics import builds, genes
from genomics.builds import Build

TARGET = Path(genes.__file__).parent / "data" / "hgnc_other_names.tsv.gz"

Row = tuple[str, str, str]


def rows(source: list[dict[str, str]]) -> list[Row]:
    """Return (name, kind, symbol), sorted, one row for a name and a symbol."""
    shipped = {build: set(genes.symbols(build)) for build in builds.BUILDS}
    approved = {entry["symbol"].upper() for entry in source}
    found: dict[tuple[str, str], str] = {}
    for entry in source:
        for name, kind, symbol in _names(entry, shipped):
            if all(name.upper() in known for known in shipped.values()):
                continue
            if (symbol if kind == "newer" else name).upper() not in approved:
                # A former symbol that is also listed as an alias was a symbol.
                found.setdefault((name.upper(), symbol), kind)
    return sorted((name, kind, symbol) for (name, symbol), kind in found.items())


def _names(entry: dict[str, str], shipped: dict[Build, set[str]]) -> Iterator[Row]:
    symbol = entry["symbol"]
    previous, aliases = (_split(entry[key]) for key in ("prev_symbol", "alias_symbol"))
    if any(symbol.upper() in known for known in shipped.values()):
        yield from ((name, "previous", symbol) for name in previous)
        yield from ((name, "alias", symbol) for name in aliases)
    # A table that is older than the symbol has the gene by a former one.
    for known in shipped.values():
        if symbol.upper() not in known:
            yield from (
                (symbol, "newer", old) for old in previous if old.upper() in known
            )


def _split(cell: str) -> list[str]:
    return [name.strip() for name in cell.split("|") if name.strip()]


def _packed(found: list[Row]) -> bytes:
    text = "".join("\t".join(row) + "\n" for row in found)
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as file:
        file.write(text.encode())
    return packed.getvalue()


def main() -> None:
    """Read the file that is named and write the table."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="") as file:
        found = rows(list(csv.DictReader(file, delimiter="\t")))
    TARGET.write_bytes(_packed(found))
    print(f"{len(found)} rows in {TARGET.name}")


if __name__ == "__main__":
    main()
