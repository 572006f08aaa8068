"""A purpose put to a donor's terms, in one line."""

from datetime import date
from typing import Any

from consent.policy import Decision, Purpose, Terms, decide

DAY = date(2026, 6, 1)
CANCER = "MONDO:0004992"
BREAST_CANCER = "MONDO:0007254"
DIABETES = "MONDO:0005148"
OBSOLETE_HEART = "MONDO:0000016"  # replaced by MONDO:0005010
HEART = "MONDO:0005010"
OBSOLETE_WITHOUT_REPLACEMENT = "MONDO:0000003"

P, R, D = "permit", "review", "deny"


def decided(purpose: dict[str, Any], **terms: Any) -> Decision:
    return decide(Purpose.read(purpose), Terms.read(terms), DAY)


def verdict(purpose: dict[str, Any], **terms: Any) -> str:
    return decided(purpose, **terms).verdict.value


def with_modifier(code: str, value: Any, **purpose: Any) -> str:
    return verdict(
        {"research_types": ["biomedical"], **purpose},
        permission="HMB",
        modifiers={code: value},
    )
