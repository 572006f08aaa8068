"""Whether what a donor keeps back can be carried out in a genome build.

Pure: a verifier that has no site asks the same. Where genes lie is left to
`gemmule.catalog.regions`.
"""

from collections.abc import Mapping
from typing import Any

import gemmule.catalog.regions
from gemmule.catalog.errors import CatalogError


def withheld_regions(
    wish: Mapping[str, Any], build: str
) -> tuple[tuple[str, int, int], ...] | None:
    """Return the regions a donor keeps back, or None when she must be left out."""
    if not wish or not (wish.get("genes") or wish.get("regions")):
        return ()
    if not build or wish.get("mode", "missing") != "missing":
        return None
    try:
        return tuple(
            (region.contig, region.start_0, region.end)
            for region in gemmule.catalog.regions.withheld(wish, build)
        )
    except CatalogError:
        return None
