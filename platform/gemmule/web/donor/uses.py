"""Who used a donor's data: each release that holds it, and what became of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, QuerySet

import ledger.selectors
from consent import policy
from consent.decision import Clause
from consent.errors import PurposeInvalid
from consent.forms.sentences import plain_sentences
from consent.models import Donor
from consent.policy import Purpose
from gemmule.access.models import Resolution, Review
from gemmule.releases.models import Download, FileRole, Release, ReleaseDonor
from gemmule.releases.selectors import uses_of
from gemmule.releases.states import DELIVERED_STATES
from ledger.selectors import EntryView


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One release that holds the donor."""

    release: Release
    entry: EntryView | None
    # Complete downloads of the data, and when the last one ended.
    fetched: int
    fetched_last: datetime | None
    # Bytes left the house, whether or not the download came to its end.
    went_out: bool
    review: Review | None
    # What the donor's own choice said to this study, and what a person checked.
    allowed_by: str
    clauses: tuple[Clause, ...]
    checked: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Tell whether the file can still be fetched, now or after a pause."""
        return self.release.state in DELIVERED_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What a withdrawal would do now, in numbers."""

    live: int
    out: int
    asked: tuple[str, ...]


def uses(donor: Donor, *, at_most: int | None = None) -> list[Use]:
    """Return the donor's uses, the newest first; five queries, however many."""
    rows = list(_rows(donor)[:at_most])
    releases = [row.release for row in rows]
    entries = ledger.selectors.entries_by_event(one.event for one in releases)
    fetched = _fetched(releases)
    reviews = {
        one.request_id: one
        for one in Review.objects.filter(
            request__in={one.request_id for one in releases}, decision="approve"
        )
    }
    checked = _checked(rows)
    return [
        Use(
            release=row.release,
            entry=entries.get(row.release.event),
            fetched=fetched.get(row.release_id, (0, None))[0],
            fetched_last=fetched.get(row.release_id, (0, None))[1],
            went_out=bool(row.bytes_sent),  # type: ignore[attr-defined]  # annotated by uses_of
            review=reviews.get(row.release.request_id),
            allowed_by=plain_sentences(
                row.consent.to_terms(), row.consent.withheld, row.consent.discovery
            )[0],
            clauses=_clauses(row),
            checked=checked.get((row.release.request_id, row.consent_id), ()),
        )
        for row in rows
    ]


def count(donor: Donor) -> int:
    """Return how many releases hold or held the donor."""
    return _rows(donor).count()


def stopping(donor: Donor) -> Stopping:
    """Return what stops, what is out, and who is asked, as things stand."""
    rows = list(_rows(donor))
    live = [row.release for row in rows if row.release.state in DELIVERED_STATES]
    return Stopping(
        live=len(live),
        out=sum(bool(row.bytes_sent) for row in rows),  # type: ignore[attr-defined]  # annotated by uses_of
        asked=tuple(sorted({one.request.project.institution.name for one in live})),
    )


def _rows(donor: Donor) -> QuerySet[ReleaseDonor]:
    # What was never sealed never held anybody.
    return uses_of(donor.pk).exclude(release__sealed_at=None)


def _fetched(releases: Iterable[Release]) -> dict[int, tuple[int, datetime | None]]:
    found = (
        Download.objects.filter(
            file__release__in=list(releases),
            file__role=FileRole.VARIANTS,
            outcome="complete",
        )
        .order_by()
        .values("file__release")
        .annotate(number=Count("pk"), last=Max("finished_at"))
    )
    return {row["file__release"]: (row["number"], row["last"]) for row in found}


def _checked(
    rows: Sequence[ReleaseDonor],
) -> dict[tuple[int, UUID], tuple[str, ...]]:
    """Return the codes that a person found met, by request and consent."""
    found: dict[tuple[int, UUID], list[str]] = defaultdict(list)
    for one in Resolution.objects.filter(
        consent__in=[row.consent_id for row in rows],
        review__request__in=[row.release.request_id for row in rows],
    ).select_related("review"):
        found[one.review.request_id, one.consent_id].append(one.code)
    return {key: tuple(sorted(codes)) for key, codes in found.items()}


def _clauses(row: ReleaseDonor) -> tuple[Clause, ...]:
    """Return what the consent of then says to the purpose, clause by clause."""
    try:
        purpose = Purpose.from_json(row.release.request.purpose)
    except PurposeInvalid:  # Rules have moved on since; the dossier still has it.
        return ()
    sealed = row.release.sealed_at or row.release.created_at
    terms = row.consent.to_terms(state="active")
    return policy.decide(purpose, terms, sealed.date()).clauses
