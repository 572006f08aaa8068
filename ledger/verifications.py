"""Keep when the whole ledger was replayed last, and what that found.

The row is the wish and then the outcome: whoever works it off may die anywhere, and
the next one starts over. The replay itself is in `inspection`.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from ledger import inspection
from ledger.models import Verification

# A replay of a million entries takes 20 s; one that takes this long has died.
_GIVEN_UP_AFTER = timedelta(hours=1)
_EVERY = timedelta(days=1)
# What is kept of a ledger in ruins; the command tells all.
_MOST_FINDINGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was wrong, in words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a replay found; `finished_at` is None while it is awaited."""

    requested_at: datetime
    finished_at: datetime | None
    entries: int
    published: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Tell whether it ended and found nothing."""
        return self.finished_at is not None and not self.findings


def request(*, now: datetime) -> None:
    """Ask for a replay, unless one is asked for already."""
    with transaction.atomic():
        if not Verification.objects.filter(finished_at=None).exists():
            Verification.objects.create(requested_at=now)


def request_if_due(*, now: datetime) -> None:
    """Ask for a replay when the last one is a day old."""
    latest = Verification.objects.order_by("-requested_at").first()
    if latest is None or latest.requested_at <= now - _EVERY:
        request(now=now)


def run(
    *,
    clock: Callable[[], datetime],
    also: Callable[[], Iterable[inspection.Finding]] = tuple,
) -> bool:
    """Replay if it is asked for and nobody is at it; return whether it was done.

    What `also` finds, in rows of other rooms, is kept with what the replay finds.
    """
    now = clock()
    with transaction.atomic():
        row = (
            Verification.objects.select_for_update()
            .filter(finished_at=None)
            .order_by("requested_at")
            .first()
        )
        if row is None or (
            row.started_at is not None and row.started_at > now - _GIVEN_UP_AFTER
        ):
            return False
        row.started_at = now
        row.save(update_fields=["started_at"])
    report = inspection.inspect()
    row.entries, row.published = report.entries, report.published
    found = itertools.chain(report.findings, also())
    row.findings = [
        {"code": one.code, "message": one.message}
        for one in itertools.islice(found, _MOST_FINDINGS)
    ]
    row.finished_at = clock()
    row.save()
    return True


def last() -> Outcome | None:
    """Return the last replay that ended. One query."""
    ended = Verification.objects.filter(finished_at__isnull=False)
    return _outcome(ended.order_by("-finished_at").first())


def awaited() -> Outcome | None:
    """Return the replay that is asked for or runs. One query."""
    open_ = Verification.objects.filter(finished_at=None)
    return _outcome(open_.order_by("requested_at").first())


def _outcome(row: Verification | None) -> Outcome | None:
    if row is None:
        return None
    return Outcome(
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        entries=row.entries,
        published=row.published,
        findings=tuple(Finding(**one) for one in row.findings),
    )
