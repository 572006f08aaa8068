"""Rely on an approval as the IRB signed it, not as its rows say.

`open_approval` decrypts the body of the entry, checks it against what the entry commits
to, and compares request, review and resolutions with the statement that was signed.
`compare_rows` compares rows that were read anew with that approval.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import ledger.mentions
import ledger.opened
from gemmule.access import statements
from gemmule.access.errors import ApprovalAltered, RequestStateError
from gemmule.access.models import (
    AccessRequest,
    RequestState,
    Resolution,
    Review,
    ReviewDecision,
)
from gemmule.access.selectors import request_sha256
from gemmule.access.statements import ResolvedClause
from ledger.errors import SubjectUnknown

APPROVED = "access.approved"
# What ends a request for good; none of them is followed by another approval.
ENDS = ("access.closed", "access.denied", "access.expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What was approved, as the ledger opened it; `statement` is what was signed."""

    event: UUID
    statement: Mapping[str, Any]
    reviewer: str
    dataset: str
    resolved: frozenset[ResolvedClause]


def open_approval(request: AccessRequest) -> Approval:
    """Return the approval of a request as the ledger holds it; about ten queries.

    Raises ApprovalAltered where request, review or resolutions say anything else, and
    RequestStateError where the request has ended since it was read.
    """
    event = request.event_decided
    entry = None if event is None else ledger.opened.by_event([event]).get(event)
    if event is None or entry is None or entry.body is None or entry.type != APPROVED:
        raise ApprovalAltered(request.accession, ["event_decided"])
    review = Review.objects.filter(event=event).first()
    if review is None:
        raise ApprovalAltered(request.accession, ["review"])
    digest = hashlib.sha256(bytes(review.statement)).hexdigest()
    # Older approvals have no digest in their bodies.
    if {entry.pub["statement_sha256"], digest} | {
        entry.body.get("statement_sha256", digest)
    } != {digest}:
        raise ApprovalAltered(request.accession, ["statement"])
    statement = json.loads(bytes(review.statement))
    resolutions = _resolutions(review)
    _check_resolved(request, event, statement, entry.body, resolutions)
    approval = Approval(
        event=event,
        statement=statement,
        reviewer=str(entry.body.get("reviewer")),
        dataset=str(entry.pub.get("dataset")),
        resolved=frozenset(map(_clause, resolutions)),
    )
    compare_rows(approval, request)
    _check_not_ended(request, event)
    return approval


def compare_rows(approval: Approval, request: AccessRequest) -> None:
    """Compare a request that was read, and its review, with what the ledger holds.

    Raises ApprovalAltered. Two queries.
    """
    statement = approval.statement
    review = Review.objects.filter(event=approval.event).first()
    if review is None:
        raise ApprovalAltered(request.accession, ["review"])
    here: dict[str, tuple[object, object]] = {
        "event_decided": (request.event_decided, approval.event),
        "request": (
            (request.accession, request_sha256(request)),
            (statement["request"], statement["request_sha256"]),
        ),
        "dataset": (request.dataset.accession, approval.dataset),
        "expires_on": (
            {_iso(request.expires_on), _iso(review.expires_on)},
            {statement["expires_on"]},
        ),
        "reason": (review.reason, statement["reason"]),
        "reviewer": (str(review.reviewer_id), approval.reviewer),
        "review": (
            (review.request_id, review.decision, statement["decision"]),
            (request.pk, ReviewDecision.APPROVE, ReviewDecision.APPROVE),
        ),
    }
    differing = sorted(name for name, (row, stated) in here.items() if row != stated)
    if not set(map(_clause, _resolutions(review))) <= approval.resolved:
        differing.append("resolutions")
    if differing:
        raise ApprovalAltered(request.accession, differing)


def _check_resolved(
    request: AccessRequest,
    event: UUID,
    statement: Mapping[str, Any],
    body: Mapping[str, Any],
    resolutions: Sequence[Resolution],
) -> None:
    """Check that the reviewer signed each clause that is resolved."""
    digest = statements.resolved_sha256([_clause(row) for row in resolutions])
    if digest == statement["resolved_sha256"]:
        return
    # Resolutions of donors erased since are gone, so that the digest differs.
    try:
        commitments = set(statements.commitments_to(event, resolutions))
    except SubjectUnknown as error:
        raise ApprovalAltered(request.accession, ["resolutions"]) from error
    if not commitments <= set(body.get("resolved", [])):
        raise ApprovalAltered(request.accession, ["resolutions"])


def _check_not_ended(request: AccessRequest, event: UUID) -> None:
    if not ledger.mentions.is_beside([event], types=ENDS):
        return
    # The row is read after the ledger: what ends a request writes both at once.
    state = AccessRequest.objects.values_list("state", flat=True).get(pk=request.pk)
    if state == RequestState.APPROVED:
        raise ApprovalAltered(request.accession, ["state"])
    raise RequestStateError(f"request {request.accession} has ended")


def _resolutions(review: Review) -> list[Resolution]:
    return list(
        review.resolutions.filter(consent__donor__erased_at=None)
        .select_related("consent__donor")
        .order_by("consent_id", "code")
    )


def _clause(row: Resolution) -> ResolvedClause:
    return ResolvedClause(consent_id=row.consent_id, code=row.code, rules=row.rules)


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
