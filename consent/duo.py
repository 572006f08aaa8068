"""The GA4GH Data Use Ontology, pinned: codes, labels, descriptions.

Data, not logic. What a code permits stands in `consent.policy`: nothing may be
derived from the ontology's class tree, where NPU and NCU, each weaker, are
subclasses of NPUNCU.
Source: https://github.com/EBISPOT/DUO, CC BY 4.0 (see data/SOURCE.md).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

VERSION = "81f5c3d"

# Exactly one of these stands in a consent.
PERMISSIONS = ("NRES", "GRU", "HMB", "DS", "POA")
# The order of the ontology's guide; it is the order in which clauses are listed.
MODIFIERS = (
    "NMDS", "GSO", "NPUNCU", "NPU", "NCU", "PUB", "COL", "IRB", "GS",
    "MOR", "TS", "US", "PS", "IS", "RTN", "CC", "NPOA", "RS",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DUOTerm:
    """One term: `DUO:0000042`, `GRU`, its label and description."""

    id: str
    code: str
    label: str
    description: str


def _read() -> Mapping[str, DUOTerm]:
    text = files("consent").joinpath("data/duo.csv").read_text(encoding="utf-8")
    terms = {
        row["shorthand"]: DUOTerm(
            id=row["id"],
            code=row["shorthand"],
            label=row["label"],
            description=row["description"],
        )
        for row in csv.DictReader(text.splitlines())
        # The two abstract parents carry no code and are never in a consent.
        if row["shorthand"]
    }
    return MappingProxyType(terms)


TERMS: Mapping[str, DUOTerm] = _read()
