"""Tell of a name that is no gene's symbol whose alias or former symbol it is.

A name may stand for several genes (SEPT2 was SEPTIN2 and is an alias of SEPTIN6), so
nothing here decides: who asked is told all of them and picks.

Source: HGNC's complete set; `genomics/data/SOURCE.md`.
"""

import gzip
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

Kind = Literal["previous", "alias", "newer"]

_TABLE = "hgnc_other_names.tsv.gz"
_KINDS: dict[str, Kind] = {"previous": "previous", "alias": "alias", "newer": "newer"}
_SAID: dict[Kind, str] = {
    "previous": "a former symbol",
    "alias": "an alias",
    "newer": "a newer symbol",
}


class OtherName(NamedTuple):
    """What a name is to a gene, and the symbol that our tables know the gene by."""

    kind: Kind
    symbol: str

    def __str__(self) -> str:
        return f"{_SAID[self.kind]} of {self.symbol}"


def stands_for(name: str) -> tuple[OtherName, ...]:
    """Return every gene that goes by the name too, former symbols first.

    >>> [str(found) for found in stands_for("sept2")]
    ['a former symbol of SEPTIN2', 'an alias of SEPTIN6']
    """
    return tuple(_names().get(name.strip().upper(), ()))


@cache
def _names() -> dict[str, list[OtherName]]:
    """Return the genes by upper-case name; read once, when a symbol is unknown."""
    data = resources.files("genomics").joinpath("data", _TABLE).read_bytes()
    found: dict[str, list[OtherName]] = {}
    for line in gzip.decompress(data).decode("utf-8").splitlines():
        name, kind, symbol = line.split("\t")
        found.setdefault(name, []).append(OtherName(_KINDS[kind], symbol))
    for names in found.values():
        names.sort(key=lambda one: (list(_SAID).index(one.kind), one.symbol))
    return found
