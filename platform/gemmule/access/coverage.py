"""Which donors of a dataset a request reaches today, and why the others not.

The decision itself is `consent.policy.decide`; what a review resolved is applied
here, clause by clause, consent by consent. Rounding for researchers is here too,
so that no page can forget it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import consent.selectors
import gemmule.catalog.selectors
from consent.policy import Verdict
from consent.selectors import DonorDecision
from gemmule.access import purposes
from gemmule.access.models import AccessRequest, Resolution, ReviewDecision

# Below this a count could point at a person; security.md, floors.
SMALLEST_SHOWN = 20
_STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseCount:
    """How many donors one clause concerns, exactly."""

    code: str
    verdict: str
    reason: str
    donors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every mapped donor of the dataset, in exactly one of three parts."""

    permitted: Mapping[UUID, DonorDecision]
    review: Mapping[UUID, DonorDecision]
    denied: Mapping[UUID, DonorDecision]

    @property
    def total(self) -> int:
        """Return the number of donors in the dataset."""
        return len(self.permitted) + len(self.review) + len(self.denied)

    def clauses(self) -> list[ClauseCount]:
        """Return the clauses that stand in the way, most donors first."""
        counts: Counter[tuple[str, str, str]] = Counter()
        for part, kept in ((self.review, "review"), (self.denied, "deny")):
            for found in part.values():
                counts.update(
                    {
                        (clause.code, clause.verdict.value, clause.reason)
                        for clause in found.decision.clauses
                        if clause.verdict.value == kept
                    }
                )
        return [
            ClauseCount(code=code, verdict=verdict, reason=reason, donors=number)
            for (code, verdict, reason), number in sorted(
                counts.items(), key=lambda item: (-item[1], item[0])
            )
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the exact snapshot that is kept with a request for the IRB."""
        return {
            "total": self.total,
            "permitted": len(self.permitted),
            "review": len(self.review),
            "denied": len(self.denied),
            "clauses": [
                {
                    "code": clause.code,
                    "verdict": clause.verdict,
                    "reason": clause.reason,
                    "donors": clause.donors,
                }
                for clause in self.clauses()
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundedVerdict:
    """What a researcher may see of a coverage: numbers to 10, none below 20."""

    total: str
    permitted: str
    review: str
    # (clause code, verdict, reason, rounded donors)
    clauses: tuple[tuple[str, str, str, str], ...]


def _agree(code: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def change(stated: Mapping[str, Any]) -> dict[str, Any]:
        agreed = {*stated.get("agrees_to", []), code}
        return {**stated, "agrees_to": sorted(agreed)}

    return change


def _without_companies(stated: Mapping[str, Any]) -> dict[str, Any]:
    return {**stated, "organisation": "non-profit", "commercial": False}


def _with_ethics(stated: Mapping[str, Any]) -> dict[str, Any]:
    return {**stated, "ethics_approval": "verified"}


_CHANGES: tuple[tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]], ...] = (
    ("no company took part and no use were commercial", _without_companies),
    ("the IRB had seen an ethics approval", _with_ethics),
    ("you agreed to publish the results", _agree("PUB")),
    ("you agreed to return derived data", _agree("RTN")),
)


def coverage(
    request: AccessRequest, on: date, *, first_release: date | None = None
) -> Coverage:
    """Return whom the request reaches on the day `on`, resolutions applied.

    Time limits count from `first_release`, the day of the project's first release;
    from `on` while there is none.
    """
    donor_ids = gemmule.catalog.selectors.donors_of(request.dataset)
    purpose = purposes.full_purpose(request)
    decisions = consent.selectors.decide_for(
        purpose=purpose,
        donor_ids=donor_ids,
        on=on,
        first_release=first_release,
        asked_until=request.expires_on,
    )
    resolved = _resolutions(request)
    barred = bool(
        set(request.dataset.barred_countries)
        & set(request.purpose.get("countries", []))
    )
    permitted: dict[UUID, DonorDecision] = {}
    review: dict[UUID, DonorDecision] = {}
    denied: dict[UUID, DonorDecision] = {}
    for donor_id, found in decisions.items():
        verdict = found.decision.verdict
        if barred or verdict is Verdict.DENY or found.consent is None:
            denied[donor_id] = found
        elif verdict is Verdict.PERMIT or _is_resolved(found, resolved):
            permitted[donor_id] = found
        else:
            review[donor_id] = found
    return Coverage(permitted=permitted, review=review, denied=denied)


def alternatives(request: AccessRequest, on: date) -> list[tuple[str, str]]:
    """Return (what could be changed, about how many more donors), largest first.

    Differences below 20 are left out: they could point at a person.
    """
    stated = dict(request.purpose)
    base = len(_permitted(request, stated, on))
    found = []
    for words, change in _CHANGES:
        changed = change(stated)
        if changed == stated:
            continue
        more = len(_permitted(request, changed, on)) - base
        if more >= SMALLEST_SHOWN:
            found.append((more, words))
    found.sort(reverse=True)
    return [(words, round_count(more)) for more, words in found]


def rounded(found: Coverage) -> RoundedVerdict:
    """Return the coverage as a researcher may see it."""
    return RoundedVerdict(
        total=round_count(found.total),
        permitted=round_count(len(found.permitted)),
        review=round_count(len(found.review)),
        clauses=tuple(
            (clause.code, clause.verdict, clause.reason, round_count(clause.donors))
            for clause in found.clauses()
        ),
    )


def round_count(number: int) -> str:
    """Return a count to the nearest 10, or "< 20".

    >>> round_count(0), round_count(19), round_count(414), round_count(415)
    ('< 20', '< 20', '410', '420')
    """
    if number < SMALLEST_SHOWN:
        return f"< {SMALLEST_SHOWN}"
    return str((number + _STEP // 2) // _STEP * _STEP)


def _permitted(
    request: AccessRequest, stated: dict[str, Any], on: date
) -> Mapping[UUID, DonorDecision]:
    """Return whom the request would reach, were its purpose stated like this."""
    imagined = copy(request)
    imagined.purpose = stated
    return coverage(imagined, on).permitted


def _resolutions(request: AccessRequest) -> set[tuple[UUID, str, str]]:
    """Return (consent, clause code, rules) that the standing approval resolved."""
    return set(
        Resolution.objects.filter(
            review__request=request, review__decision=ReviewDecision.APPROVE
        ).values_list("consent_id", "code", "rules")
    )


def _is_resolved(found: DonorDecision, resolved: set[tuple[UUID, str, str]]) -> bool:
    if found.consent is None or not resolved:
        return False
    rules = found.decision.versions["rules"]
    return all(
        (found.consent.pk, clause.code, rules) in resolved
        for clause in found.decision.clauses
        if clause.verdict is Verdict.REVIEW
    )
