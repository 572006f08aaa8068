"""Whether what a donor keeps back can be carried out in a genome build.

Pure: a verifier that has no site asks the same. Where genes lie is left to
`gemmule.catalog.regions`.
"""

from collections.abc import Mapping
from typing import Any

import gemmule.catalog.regions
from gemmule.catalog.errors import CatalogError

_CLOSED = "exclude-region-for-all"


def is_closed_to_all(wish: Mapping[str, Any]) -> bool:
    """Return whether a release that holds the donor holds nobody's part of it."""
    return wish.get("mode") == _CLOSED


def withheld_regions(
    wish: Mapping[str, Any], build: str
) -> tuple[tuple[str, int, int], ...] | None:
    """Return the regions a donor keeps back, or None when she must be left out.

    What she keeps back is missing in her column, or in everybody's: `is_closed_to_all`.
    """
    if not wish or not (wish.get("genes") or wish.get("regions")):
        return ()
    if not build or wish.get("mode", "missing") not in ("missing", _CLOSED):
        return None
    try:
        return tuple(
            (region.contig, region.start_0, region.end)
            for region in gemmule.catalog.regions.withheld(wish, build)
        )
    except CatalogError:
        return None
