"""Say before approval what a release of a request may hold, and when it holds nothing.

Numbers for researchers come from the requested bases and a public density, never from
counts of the dataset, which depend on donors whom a release leaves out.
"""

from dataclasses import dataclass

from gemmule.access.models import AccessRequest
from gemmule.catalog import megabases
from gemmule.catalog.megabases import Span

# 1000 Genomes phase 3: 88 million variants in 2,504 people (Nature 526:68, 2015), on
# the 3,095,677,412 bases of chromosomes 1 to 22, X and Y of GRCh37.
_PUBLIC_VARIANTS = 88_000_000
_PUBLIC_BASES = 3_095_677_412
_DIGITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What may be expected of a request, as a researcher may read it.

    `outside` are the regions in which the dataset holds nothing. `records` is an
    estimate to two digits for whole genomes; exomes and arrays hold fewer.
    """

    outside: tuple[Span, ...]
    is_empty: bool
    records: int


def expectation(request: AccessRequest) -> Expectation:
    """Return what a release of the request may hold; at most two queries."""
    outside = megabases.regions_outside(request.dataset, request.regions)
    if request.regions is None:
        spans = megabases.spans_of(request.dataset)
        bases = sum(end - start_0 for start_0, end in (spans or {}).values())
        is_empty = spans == {}
    else:
        bases = sum(end - start_0 for _, start_0, end in request.regions)
        bases -= sum(end - start_0 for _, start_0, end in outside)
        is_empty = len(outside) == len(request.regions)
    return Expectation(
        outside=tuple(outside), is_empty=is_empty, records=expected_records(bases)
    )


def expected_records(bases: int) -> int:
    """Return how many records so many bases hold at the public density, to two digits.

    >>> expected_records(81_189), expected_records(0)
    (2300, 0)
    """
    bases = min(bases, _PUBLIC_BASES)
    return int(float(f"{bases * _PUBLIC_VARIANTS / _PUBLIC_BASES:.{_DIGITS}g}"))
