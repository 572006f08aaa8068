"""Which donors of a dataset a request reaches today, and why the others not.

The decision itself is `consent.policy.decide`; what a review resolved is applied
here, clause by clause, consent by consent. Rounding for researchers is here too,
so that no page can forget it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import consent.selectors
import gemmule.catalog.selectors
from consent.models import Consent
from consent.policy import Purpose, Verdict
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

    def consents(self) -> dict[UUID, Consent | None]:
        """Return the consent of every donor that was decided on, None for none."""
        return {
            donor_id: found.consent
            for part in (self.permitted, self.review, self.denied)
            for donor_id, found in part.items()
        }

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


_Change = Callable[[Purpose], Purpose]


def _agree(code: str) -> _Change:
    def change(stated: Purpose) -> Purpose:
        agreed = {*stated.agrees_to, code}
        return replace(stated, agrees_to=tuple(sorted(agreed)))

    return change


def _without_companies(stated: Purpose) -> Purpose:
    return replace(stated, organisation="non-profit", commercial=False)


def _with_ethics(stated: Purpose) -> Purpose:
    return replace(stated, ethics_approval="verified")


_CHANGES: tuple[tuple[str, _Change], ...] = (
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
    from `on` while there is none. Four queries for up to 20,000 donors.
    """
    donor_ids = gemmule.catalog.selectors.donors_of(request.dataset)
    purpose = purposes.full_purpose(request)
    return _parted(
        request,
        purpose,
        consent.selectors.decide_for(
            purpose=purpose,
            donor_ids=donor_ids,
            on=on,
            first_release=first_release,
            asked_until=request.expires_on,
        ),
        _resolutions(request),
    )


def alternatives(
    request: AccessRequest, on: date, *, base: Coverage
) -> list[tuple[str, str]]:
    """Return (what could be changed, about how many more donors), largest first.

    `base` is the coverage of the request as it stands, whose consents are decided on
    again: two queries. Differences below 20 are left out: they could point at a
    person.
    """
    stated = purposes.full_purpose(request)
    resolved = _resolutions(request)
    consents = base.consents()
    found = []
    for words, change in _CHANGES:
        changed = change(stated)
        if changed == stated:
            continue
        decisions = consent.selectors.decide_on(
            consents, purpose=changed, on=on, asked_until=request.expires_on
        )
        reached = _parted(request, changed, decisions, resolved).permitted
        more = len(reached) - len(base.permitted)
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


def _parted(
    request: AccessRequest,
    purpose: Purpose,
    decisions: Mapping[UUID, DonorDecision],
    resolved: set[tuple[UUID, str, str]],
) -> Coverage:
    barred = bool(set(request.dataset.barred_countries) & set(purpose.countries))
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
