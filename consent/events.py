"""What the room writes to the ledger: payloads, and the statement a donor signs.

The public part says at most which form was used; everything else is in the body,
which the ledger encrypts and only commits to.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import rfc8785

from consent import diseases, duo
from consent.decision import JSON
from consent.terms import Terms

# The acts of a donor, `consent.<act>`, and the publication of a form.
FORM_PUBLISHED = "form.published"
_STATEMENT = "gemmule/consent/statement/v1"

# How a consent stands after each act.
STATE_OF_ACT: Mapping[str, str] = {
    "given": "active",
    "changed": "active",
    "resumed": "active",
    "paused": "paused",
    "refused": "refused",
    "withdrawn": "withdrawn",
    "expired": "expired",
}


def consent_type(act: str) -> str:
    """Return the event type of an act.

    >>> consent_type("given")
    'consent.given'
    """
    return f"consent.{act}"


def public_part(form_sha256: str | None) -> dict[str, str]:
    """Return what anybody may read: the digest of the form, if one was used."""
    return {} if form_sha256 is None else {"form_sha256": form_sha256}


def body(
    decision: Mapping[str, JSON],
    *,
    evidence: Mapping[str, JSON],
    answers: Mapping[str, JSON] | None,
) -> dict[str, Any]:
    """Return everything that was decided and how it was signed.

    `decision` is `Consent.to_event()`: from these the donor's current state can be
    rebuilt (`consent.reconciliation`).
    """
    return {
        **decision,
        "duo": duo.VERSION,
        "evidence": dict(evidence),
        "answers": None if answers is None else dict(answers),
    }


def terms_on(body: Mapping[str, JSON], on: date) -> Terms:
    """Return the terms that stand on a day after the act of an opened body.

    For who holds nothing but the ledger: what `Consent.to_terms` and `state_on` say of
    the row. Raises ValueError where the body is not that of an act.
    """
    act, terms, until = (body.get(key) for key in ("act", "terms", "valid_until"))
    if not isinstance(act, str) or act not in STATE_OF_ACT:
        raise ValueError("the body names no act of a donor")
    if not isinstance(terms, Mapping) or not isinstance(until, str | None):
        raise ValueError("the body holds no terms")
    state = STATE_OF_ACT[act]
    has_ended = until is not None and date.fromisoformat(until) < on
    if has_ended and state in ("active", "paused"):
        state = "expired"
    return Terms.read({**terms, "state": state})


def statement(
    *,
    act: str,
    form_sha256: str | None,
    language: str,
    terms: Mapping[str, JSON],
    withheld: Mapping[str, JSON],
    discovery: bool,
    sentences: Sequence[str],
) -> bytes:
    """Return the exact bytes that a donor signs: RFC 8785, the plain words included."""
    return rfc8785.dumps(
        {
            "statement": _STATEMENT,
            "act": act,
            "form_sha256": form_sha256,
            "language": language,
            "terms": dict(terms),
            "withheld": dict(withheld),
            "discovery": discovery,
            "sentences": list(sentences),
            "mondo": diseases.VERSION,
        }
    )


def expiry_event(consent_event: UUID) -> UUID:
    """Return the one event id under which a consent's end is recorded."""
    return uuid5(consent_event, "consent.expired")


def form_event(name: str, version: str, language: str, sha256: str) -> UUID:
    """Return the one event id under which a form version is published."""
    return uuid5(UUID(sha256[:32]), f"{FORM_PUBLISHED} {name} {version} {language}")
