"""The page of figures for the IRB and auditors: a year, plotted and in tables."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import dateformat, timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from gemmule.access.permissions import READER_ROLES
from gemmule.access.selectors import ANSWER_WITHIN
from gemmule.accounts.permissions import check_role
from gemmule.audit.overview import Overview, overview
from gemmule.web import plots
from gemmule.web.member import MemberRequest
from gemmule.web.plots import Amount, Series


@require_GET
@login_required
def figures(request: MemberRequest) -> HttpResponse:
    """Plot decisions, how long they took, and withdrawals, each beside its table."""
    check_role(request.user, *READER_ROLES)
    found = overview(now=timezone.now())
    return render(
        request,
        "audit/overview.html",
        {
            "overview": found,
            "answer_within": ANSWER_WITHIN.days,
            "decisions": _decisions(found),
            "waits": _waits(found),
            "withdrawals": _withdrawals(found),
        },
    )


def _periods(found: Overview) -> list[str]:
    return [dateformat.format(month.start, "M y") for month in found.months]


def _decisions(found: Overview) -> SafeString:
    kinds: tuple[tuple[str, list[int], plots.Tone], ...] = (
        ("Approved", [month.approved for month in found.months], "good"),
        ("Sent back", [month.returned for month in found.months], "attention"),
        ("Denied", [month.denied for month in found.months], "stop"),
    )
    said = ", ".join(f"{sum(values)} {name.lower()}" for name, values, _ in kinds)
    return plots.columns(
        title="Decisions by month",
        description=f"In the last twelve months: {said}. The table has each month.",
        periods=_periods(found),
        series=[
            Series(name=name, values=values, tone=tone) for name, values, tone in kinds
        ],
    )


def _waits(found: Overview) -> SafeString:
    return plots.bars(
        title="Days to a decision",
        description=(
            f"Of {found.decided} requests decided in the last twelve months, "
            f"{found.late} waited longer than {ANSWER_WITHIN.days} days."
        ),
        rows=[
            Amount(
                name=wait.name,
                value=wait.decisions,
                tone="attention" if wait.is_late else "good",
            )
            for wait in found.waits
        ],
    )


def _withdrawals(found: Overview) -> SafeString:
    values = [month.withdrawn for month in found.months]
    return plots.columns(
        title="Withdrawals by month",
        description=f"{sum(values)} in the last twelve months. The table has each.",
        periods=_periods(found),
        series=[Series(name="Withdrawn", values=values, tone="stop")],
    )
