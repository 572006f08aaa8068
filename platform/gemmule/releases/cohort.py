"""Who is in a release: the permitted donors, their samples and what they withhold.

A donor whose wish cannot be carried out exactly (a gene that cannot be placed, a
time limit that has run out) is left out: fail closed.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from consent.models import Consent
from gemmule.access.coverage import coverage
from gemmule.access.models import AccessRequest
from gemmule.catalog.models import Sample
from gemmule.releases.models import Release
from gemmule.releases.withholding import withheld_regions

__all__ = [
    "Chosen",
    "Included",
    "LeftOut",
    "choose",
    "earliest_end",
    "included",
    "sample_name",
    "withheld_regions",
]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A donor of the dataset who is not in a release; `consent` None: never given."""

    subject: UUID
    consent: Consent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Every mapped donor of a dataset, in or out, and what was decided from.

    `members` stand in the order of their sample names.
    """

    members: list[Included]
    left_out: list[LeftOut]
    on: date
    first_release: date | None
    asked_until: date | None
    barred_countries: tuple[str, ...]

    def consents(self) -> list[Consent]:
        """Return the consents of all of them."""
        found = [one.consent for one in self.members]
        return found + [one.consent for one in self.left_out if one.consent]


def included(request: AccessRequest, *, on: date) -> list[Included]:
    """Return the donors a release of today would hold, in order of sample name."""
    return choose(request, on=on).members


def choose(request: AccessRequest, *, on: date) -> Chosen:
    """Return whom a release of today would hold, and whom it would leave out."""
    first_release = _first_release_on(request)
    found = coverage(request, on, first_release=first_release)
    consents = found.consents()
    samples = Sample.objects.filter(
        dataset=request.dataset, donor_id__in=consents.keys(), donor__erased_at=None
    ).select_related("donor")
    key = bytes(request.project.pseudonym_key)
    members: list[Included] = []
    left_out: list[LeftOut] = []
    for sample in samples:
        consent = consents[sample.donor_id]
        decided = found.permitted.get(sample.donor_id)
        withheld = None
        if decided is not None:
            if consent is None:
                raise AssertionError("a permit without a consent")
            withheld = withheld_regions(consent.withheld, request.dataset.build)
        if decided is None or consent is None or withheld is None:
            left_out.append(LeftOut(subject=sample.donor.subject, consent=consent))
            continue
        members.append(
            Included(
                donor_id=sample.donor_id,
                subject=sample.donor.subject,
                consent=consent,
                source_name=sample.source_name,
                sample_name=sample_name(key, sample.donor_id),
                withheld=withheld,
                expires_on=decided.decision.expires,
            )
        )
    return Chosen(
        members=sorted(members, key=lambda one: one.sample_name),
        left_out=left_out,
        on=on,
        first_release=first_release,
        asked_until=request.expires_on,
        barred_countries=tuple(sorted(request.dataset.barred_countries)),
    )


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
