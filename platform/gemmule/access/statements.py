"""What a reviewer signs, and what the ledger keeps of the clauses it resolves."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import rfc8785

import ledger.services
from gemmule.access import selectors
from gemmule.access.models import AccessRequest, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedClause:
    """A review clause of one donor's consent that a reviewer turns into permit."""

    consent_id: UUID
    code: str
    rules: str


def of_review(
    request: AccessRequest,
    decision: str,
    reason: str,
    expires_on: date | None = None,
    clauses: Sequence[ResolvedClause] = (),
) -> bytes:
    """Return the canonical JSON (RFC 8785) that a reviewer signs."""
    return rfc8785.dumps(
        {
            "decision": str(decision),
            "request": request.accession,
            "request_sha256": selectors.request_sha256(request),
            "reason": reason.strip(),
            "expires_on": expires_on.isoformat() if expires_on else None,
            "resolved": sorted({item.code for item in clauses}),
            "resolved_sha256": resolved_sha256(clauses),
        }
    )


def resolved_sha256(clauses: Sequence[ResolvedClause]) -> str:
    """Return the digest (hex) of resolutions in order of consent and code."""
    bound = [[str(item.consent_id), item.code, item.rules] for item in clauses]
    return hashlib.sha256(rfc8785.dumps(bound)).hexdigest()


def commitments_to(event: UUID, resolutions: Sequence[Resolution]) -> list[str]:
    """Return, in order, one salted commitment (base64) to each resolution of a review.

    `event` is that of the review. Without the donor's key nobody can check a
    commitment; after an erasure the others can still be checked. The resolutions come
    with their consents and donors.
    """
    commitments = ledger.services.commit_for_subjects(
        context=event.bytes,
        bodies=[
            (
                row.consent.donor.subject,
                {
                    "consent": str(row.consent_id),
                    "code": row.code,
                    "rules": row.rules,
                },
            )
            for row in resolutions
        ],
    )
    return [base64.b64encode(commitment).decode() for commitment in commitments]
