"""What the demo's donors allow: varied as people are, the same for the same seed.

Shares are made up, within what surveys of biobank donors report. Whom a request
reaches is decided by `consent.policy` from these terms, not here.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PERMISSIONS = (("GRU", 40), ("HMB", 32), ("DS", 16), ("NRES", 6), ("POA", 6))
# Cancer, breast cancer, diabetes, cardiovascular disease, mental disorder, asthma.
_DISEASES = (
    "MONDO:0004992",
    "MONDO:0007254",
    "MONDO:0005015",
    "MONDO:0004995",
    "MONDO:0002025",
    "MONDO:0004979",
)
# Modifier, its value, and how many of 100 donors choose it.
_MODIFIERS: tuple[tuple[str, Any, int], ...] = (
    ("NPUNCU", True, 22),
    ("PUB", True, 12),
    ("IRB", True, 9),
    ("NMDS", True, 6),
    ("NPOA", True, 8),
    ("GS", ["DE", "DK", "FI", "NO", "SE"], 7),
    ("TS", 24, 5),
    ("RTN", True, 4),
    ("COL", True, 2),
)
_WITHHELD = (["BRCA1", "BRCA2"], ["APOE"], ["HTT"])
_REFUSES, _WITHDRAWS, _WITHHOLDS, _HIDES = 4, 5, 6, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One donor's choice; `permission` None is a refusal."""

    terms: Mapping[str, Any] | None
    withheld: Mapping[str, Any]
    discovery: bool
    withdraws: bool


def wishes(*, seed: str, count: int) -> list[Wish]:
    """Return `count` wishes, the same for the same seed on every machine."""
    source = random.Random(f"gemmule/demo/{seed}")  # noqa: S311 - a demo, no secret
    return [_wish(source) for _ in range(count)]


def _wish(source: random.Random) -> Wish:
    refuses = _chance(source, _REFUSES)
    permission = source.choices(
        [code for code, _ in _PERMISSIONS], [share for _, share in _PERMISSIONS]
    )[0]
    modifiers = {
        code: value for code, value, share in _MODIFIERS if _chance(source, share)
    }
    diseases = sorted(source.sample(_DISEASES, source.randint(1, 3)))
    genes = source.choice(_WITHHELD) if _chance(source, _WITHHOLDS) else []
    withheld: Mapping[str, Any] = (
        {"genes": genes, "regions": [], "flank": 50_000, "mode": "missing"}
        if genes
        else {}
    )
    discovery = not _chance(source, _HIDES)
    withdraws = _chance(source, _WITHDRAWS)
    if refuses:
        return Wish(terms=None, withheld={}, discovery=False, withdraws=False)
    return Wish(
        terms={
            "permission": permission,
            "diseases": diseases if permission == "DS" else [],
            "modifiers": modifiers,
        },
        withheld=withheld,
        discovery=discovery,
        withdraws=withdraws,
    )


def _chance(source: random.Random, percent: int) -> bool:
    return source.randrange(100) < percent
