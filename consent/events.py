"""What a consent event says: nothing in public but the form, all else committed."""

from datetime import date
from typing import Any

from consent.decision import JSON

# The event type of each act.
TYPES = {
    "given": "consent.given",
    "changed": "consent.changed",
    "paused": "consent.paused",
    "resumed": "consent.resumed",
    "refused": "consent.refused",
    "withdrawn": "consent.withdrawn",
    "expired": "consent.expired",
}


def public_part(form_sha256: str | None) -> dict[str, JSON]:
    """Return the public part: which form, never what was answered."""
    return {"form_sha256": form_sha256} if form_sha256 else {}


def body(
    *,
    number: int,
    act: str,
    terms: dict[str, Any],
    withheld: dict[str, Any],
    discovery: bool,
    language: str,
    channel: str,
    valid_until: date | None,
    evidence: dict[str, Any],
) -> dict[str, JSON]:
    """Return the body that is committed to: the whole decision, how it was signed."""
    return {
        "number": number,
        "act": act,
        "terms": terms,
        "withheld": withheld,
        "discovery": discovery,
        "language": language,
        "channel": channel,
        "valid_until": valid_until.isoformat() if valid_until else None,
        "evidence": evidence,
    }
