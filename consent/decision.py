"""A decision: verdict, clauses with their reasons, obligations, expiry, versions.

Values only; the rules that make them are in `consent.rules`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

# A value as the standard JSON parser returns it: any shape may arrive, and the
# readers below narrow it before use.
JSON = Any


class Verdict(Enum):
    """What a clause, or all of them together, says."""

    PERMIT = "permit"
    REVIEW = "review"
    DENY = "deny"


_STRENGTH = {Verdict.PERMIT: 0, Verdict.REVIEW: 1, Verdict.DENY: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One finding: a DUO code or `subject:detail`, its verdict, a plain reason.

    Reasons speak of the purpose and of the kind of choice, never of what one donor
    listed: they are counted over donors and shown to researchers.
    """

    code: str
    verdict: Verdict
    reason: str

    def to_json(self) -> dict[str, JSON]:
        return {
            "code": self.code,
            "verdict": self.verdict.value,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What the recipient takes on: PUB, RTN, MOR (a date) or TS (months)."""

    code: str
    not_before: date | None = None
    months: int | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the object of the vectors.

        >>> Obligation(code="TS", months=12).to_json()
        {'code': 'TS', 'months': 12}
        """
        found: dict[str, JSON] = {"code": self.code}
        if self.not_before is not None:
            found["not_before"] = self.not_before.isoformat()
        if self.months is not None:
            found["months"] = self.months
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one donor's terms say to one purpose on one day.

    `expires` is the last day on which the use is allowed, where a time limit
    stands; None where none does. A denied purpose carries no obligations.
    """

    verdict: Verdict
    clauses: tuple[Clause, ...]
    obligations: tuple[Obligation, ...]
    expires: date | None
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, JSON]:
        return {
            "verdict": self.verdict.value,
            "clauses": [clause.to_json() for clause in self.clauses],
            "obligations": [item.to_json() for item in self.obligations],
            "expires": None if self.expires is None else self.expires.isoformat(),
            "versions": dict(self.versions),
        }


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the strongest verdict: deny beats review beats permit.

    Nothing to weigh is not a permit: it denies.
    """
    return max(verdicts, key=_STRENGTH.__getitem__, default=Verdict.DENY)


def permit(code: str, reason: str) -> Clause:
    """Return a clause that lets the purpose pass."""
    return Clause(code=code, verdict=Verdict.PERMIT, reason=reason)


def review(code: str, reason: str) -> Clause:
    """Return a clause that a person has to resolve."""
    return Clause(code=code, verdict=Verdict.REVIEW, reason=reason)


def deny(code: str, reason: str) -> Clause:
    """Return a clause that nobody can overrule."""
    return Clause(code=code, verdict=Verdict.DENY, reason=reason)
