"""What a donor keeps back from every release: genes and regions of the genome.

Only the shape is checked here; where a gene lies, and whether the wish can be
carried out in a dataset, is for who cuts the files, and what cannot be placed there
leaves the donor out.

    {"genes": ["BRCA1"], "regions": [["17", 43044294, 43125483]], "build": "GRCh38",
     "flank": 50000, "mode": "missing"}

Regions are 0-based and half-open, and need the build that they are counted in.
"""

import re
from typing import Any

from consent.decision import JSON
from consent.errors import WithheldInvalid
from consent.reading import shown

DEFAULT_FLANK = 50_000
MAX_FLANK = 10_000_000
MAX_GENES = 500
MAX_REGIONS = 500
MODES = ("missing", "exclude-sample", "exclude-region-for-all")
BUILDS = ("GRCh37", "GRCh38")

# HGNC symbols: C9orf72, HLA-DRB1, MT-ND1.
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_CONTIG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_KEYS = {"genes", "regions", "flank", "mode", "build"}


def read(data: JSON) -> dict[str, Any]:
    """Return the wish in its one form; {} when nothing is kept back.

    >>> read({"genes": ["TP53", "APOE", "TP53"]})["genes"]
    ['APOE', 'TP53']
    """
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise WithheldInvalid(
            f"what is kept back is an object with {', '.join(sorted(_KEYS))}, "
            f"not {shown(data)}"
        )
    if unknown := sorted(set(data) - _KEYS):
        raise WithheldInvalid(f"nothing can be kept back by {shown(unknown[0])}")
    genes = _genes(data.get("genes"))
    regions = _regions(data.get("regions"))
    if not genes and not regions:
        return {}
    found: dict[str, Any] = {
        "genes": genes,
        "regions": regions,
        "flank": _flank(data.get("flank")),
        "mode": _one_of(data.get("mode") or MODES[0], MODES, "mode"),
    }
    if regions:
        found["build"] = _one_of(data.get("build"), BUILDS, "build of the regions")
    return found


def _genes(value: JSON) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list | tuple) or len(value) > MAX_GENES:
        raise WithheldInvalid(f"genes are a list of up to {MAX_GENES} symbols")
    for symbol in value:
        if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
            raise WithheldInvalid(
                f"{shown(symbol)} is not a gene symbol such as BRCA1 or HLA-DRB1"
            )
    return sorted(set(value))


def _regions(value: JSON) -> list[list[Any]]:
    if value is None:
        return []
    if not isinstance(value, list | tuple) or len(value) > MAX_REGIONS:
        raise WithheldInvalid(f"regions are a list of up to {MAX_REGIONS}")
    found = []
    for number, region in enumerate(value, start=1):
        match region:
            case [str(contig), int(start_0), int(end)] if (
                _CONTIG.fullmatch(contig)
                # True and False are integers in Python.
                and not {type(start_0), type(end)} - {int}
                and 0 <= start_0 < end < 2**31
            ):
                found.append([contig, start_0, end])
            case _:
                raise WithheldInvalid(
                    f"region {number}: expected contig, start and end with "
                    "0 <= start < end, 0-based and half-open"
                )
    return sorted(found)


def _flank(value: JSON) -> int:
    if value is None:
        return DEFAULT_FLANK
    if type(value) is not int or not 0 <= value <= MAX_FLANK:
        raise WithheldInvalid(f"a flank is a number of bases, 0 to {MAX_FLANK:,}")
    return value


def _one_of(value: JSON, known: tuple[str, ...], what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise WithheldInvalid(
            f"expected a {what} of {', '.join(known)}, got {shown(value)}"
        )
    return value
