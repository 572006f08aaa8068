"""Who is in a release: the permitted donors, their samples and what they withhold.

A donor whose wish cannot be carried out exactly (a gene that cannot be placed, a
time limit that has run out) is left out: fail closed.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import gemmule.catalog.regions
from consent.models import Consent
from gemmule.access.coverage import coverage
from gemmule.access.models import AccessRequest
from gemmule.catalog.errors import CatalogError
from gemmule.catalog.models import Sample
from gemmule.releases.models import Release

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SYMBOLS = _LETTERS + "0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """One donor in a release and how her column is cut."""

    donor_id: UUID
    subject: UUID
    consent: Consent
    source_name: str
    sample_name: str
    # (contig, start_0, end), 0-based half-open, flank included.
    withheld: tuple[tuple[str, int, int], ...]
    expires_on: date | None


def included(request: AccessRequest, *, on: date) -> list[Included]:
    """Return the donors a release of today would hold, in order of sample name."""
    permitted = coverage(
        request, on, first_release=_first_release_on(request)
    ).permitted
    samples = Sample.objects.filter(
        dataset=request.dataset, donor_id__in=permitted.keys(), donor__erased_at=None
    ).select_related("donor")
    key = bytes(request.project.pseudonym_key)
    found = []
    for sample in samples:
        decided = permitted[sample.donor_id]
        if decided.consent is None:
            raise AssertionError("a permit without a consent")
        withheld = withheld_regions(decided.consent.withheld, request.dataset.build)
        if withheld is None:
            continue
        found.append(
            Included(
                donor_id=sample.donor_id,
                subject=sample.donor.subject,
                consent=decided.consent,
                source_name=sample.source_name,
                sample_name=sample_name(key, sample.donor_id),
                withheld=withheld,
                expires_on=decided.decision.expires,
            )
        )
    return sorted(found, key=lambda one: one.sample_name)


def sample_name(project_key: bytes, donor_id: UUID) -> str:
    """Return the project's name for a donor's sample: a letter and nine more.

    HMAC-SHA256(project key, tag || donor id), written in the alphabet A-Z0-9, so
    that it is stable inside the project and says nothing outside it (50 bits).
    """
    digest = hmac.digest(
        project_key, b"gemmule/sample-name/v1" + donor_id.bytes, hashlib.sha256
    )
    number = int.from_bytes(digest, "big")
    number, letter = divmod(number, len(_LETTERS))
    name = _LETTERS[letter]
    for _ in range(9):
        number, symbol = divmod(number, len(_SYMBOLS))
        name += _SYMBOLS[symbol]
    return name


def earliest_end(members: Iterable[Included], limit: date) -> date:
    """Return when a release of these members ends, `limit` at the latest."""
    return min([limit, *(one.expires_on for one in members if one.expires_on)])


def _first_release_on(request: AccessRequest) -> date | None:
    """Return the day of the project's first sealed release: time limits run from it."""
    sealed_at = (
        Release.objects.filter(
            request__project=request.project, sealed_at__isnull=False
        )
        .order_by("sealed_at")
        .values_list("sealed_at", flat=True)
        .first()
    )
    return sealed_at.date() if sealed_at else None


def withheld_regions(
    wish: dict[str, Any], build: str
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
