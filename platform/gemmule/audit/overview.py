"""A year of the IRB at a glance: decisions, the time they took, and withdrawals.

Counts alone, exact as those who audit may see them; months are those of UTC. Four
queries, however much there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncMonth

import consent.selectors
from gemmule.access.models import AccessRequest, Review, ReviewDecision
from gemmule.access.selectors import ANSWER_WITHIN
from gemmule.releases.models import Release

MONTHS = 12
# Up to how many days, the last one open; the promise is where lateness begins.
_STEPS = (1, 3, 7, ANSWER_WITHIN.days, 2 * ANSWER_WITHIN.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What happened in one month."""

    start: date
    approved: int
    returned: int
    denied: int
    withdrawn: int
    revoked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How many decisions took up to `days`, and longer than the step before."""

    name: str
    decisions: int
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The months from the oldest to the present one, and the waits in them."""

    months: tuple[Month, ...]
    waits: tuple[Wait, ...]

    @property
    def decided(self) -> int:
        """Return how many requests were approved or denied."""
        return sum(wait.decisions for wait in self.waits)

    @property
    def late(self) -> int:
        """Return how many of them waited longer than the IRB promises."""
        return sum(wait.decisions for wait in self.waits if wait.is_late)


def overview(*, now: datetime) -> Overview:
    """Return the last twelve months, the present one included."""
    starts = _months(now.astimezone(UTC).date())
    since = datetime(starts[0].year, starts[0].month, 1, tzinfo=UTC)
    decisions = _by_month(
        Review.objects.filter(created_at__gte=since), "created_at", "decision"
    )
    withdrawn = consent.selectors.withdrawals_by_month(since)
    revoked = _by_month(
        Release.objects.filter(closed_at__gte=since, event_revoked__isnull=False),
        "closed_at",
    )
    months = tuple(
        Month(
            start=start,
            approved=decisions.get((start, ReviewDecision.APPROVE), 0),
            returned=decisions.get((start, ReviewDecision.RETURN), 0),
            denied=decisions.get((start, ReviewDecision.DENY), 0),
            withdrawn=withdrawn.get(start, 0),
            revoked=revoked.get((start,), 0),
        )
        for start in starts
    )
    return Overview(months=months, waits=_waits(since))


def _months(today: date) -> list[date]:
    """Return the first days of the last months, the oldest first.

    >>> [str(day) for day in _months(date(2026, 2, 28))][::5]
    ['2025-03-01', '2025-08-01', '2026-01-01']
    """
    present = today.year * 12 + today.month - 1
    return [
        date(number // 12, number % 12 + 1, 1)
        for number in range(present - MONTHS + 1, present + 1)
    ]


def _by_month(
    rows: QuerySet[Any], moment: str, *kinds: str
) -> dict[tuple[Any, ...], int]:
    """Return how many rows there are by month and kind; one query."""
    counted = (
        rows.order_by()
        .annotate(month=TruncMonth(moment, tzinfo=UTC))
        .values_list("month", *kinds)
        .annotate(number=Count("pk"))
    )
    return {(month.date(), *rest): number for month, *rest, number in counted}


def _waits(since: datetime) -> tuple[Wait, ...]:
    """Count decisions by the days from the last sending to the decision; one query."""
    edges = [timedelta(days=days) for days in _STEPS]
    found = AccessRequest.objects.filter(
        decided_at__gte=since, submitted_at__isnull=False
    ).aggregate(
        all=Count("pk"),
        **{
            f"within_{number}": Count(
                "pk", filter=Q(decided_at__lte=F("submitted_at") + edge)
            )
            for number, edge in enumerate(edges)
        },
    )
    reached = [found[f"within_{number}"] for number in range(len(edges))]
    counts = _steps([*reached, found["all"]])
    promised = _STEPS.index(ANSWER_WITHIN.days)
    return tuple(
        Wait(name=name, decisions=count, is_late=number > promised)
        for number, (name, count) in enumerate(zip(_names(), counts, strict=True))
    )


def _steps(reached: Iterable[int]) -> list[int]:
    before, counts = 0, []
    for number in reached:
        counts.append(number - before)
        before = number
    return counts


def _names() -> list[str]:
    """Return the steps in words.

    >>> _names()[:4]
    ['1 day or less', '2 to 3 days', '4 to 7 days', '8 to 10 days']
    """
    names = [f"{_STEPS[0]} day or less"]
    names += [f"{low + 1} to {high} days" for low, high in pairwise(_STEPS)]
    return [*names, f"more than {_STEPS[-1]} days"]
