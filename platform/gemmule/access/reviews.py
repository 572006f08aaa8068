"""The IRB's acts on a request: each signed, reasoned and on the ledger.

A machine's *review* clause becomes a permit only here, for one request, by a
decision bound to the clause, the rule set and the consents that stood. A machine's
*deny* never does. Two people sign whenever a clause was resolved, the purpose is
sensitive, or the result is small.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import gemmule.notices.services
import ledger.services
from consent.policy import Verdict
from gemmule.access import locks, permissions, selectors, statements, states
from gemmule.access.coverage import SMALLEST_SHOWN, Coverage, coverage
from gemmule.access.errors import ReviewInvalid
from gemmule.access.models import (
    AccessRequest,
    Resolution,
    Review,
    ReviewDecision,
)
from gemmule.access.statements import ResolvedClause
from gemmule.accounts import services as accounts
from gemmule.accounts.models import User


def verify_ethics(
    *, reviewer: User, request: AccessRequest, reason: str, password: str, now: datetime
) -> AccessRequest:
    """Record that the IRB saw the ethics approval the researcher claims to have."""
    permissions.check_may_review(reviewer, request)
    _check_reason(reason)
    with transaction.atomic():
        locked = locks.locked(request)
        locked.state = states.next_state(locked, "verify_ethics")
        if locked.purpose.get("ethics_approval") != "unverified":
            raise ReviewInvalid(
                "there is no unverified ethics approval in this request", field="reason"
            )
        locked.purpose = {**locked.purpose, "ethics_approval": "verified"}
        locked.verdict = coverage(locked, now.date()).to_json()
        locked.save(update_fields=["state", "purpose", "verdict"])
        _sign(reviewer, locked, ReviewDecision.ETHICS, reason, password, now)
    return locked


def approve(
    *,
    reviewer: User,
    request: AccessRequest,
    reason: str,
    expires_on: date | None,
    resolve: Sequence[str],
    password: str,
    now: datetime,
) -> AccessRequest:
    """Approve, or propose to approve where a second signature is needed.

    `resolve` lists the codes of the review clauses the reviewer turns into permit.
    """
    permissions.check_may_review(reviewer, request)
    _check_reason(reason)
    if expires_on is None or expires_on <= now.date():
        raise ReviewInvalid(
            "an approval needs an end date in the future", field="expires_on"
        )
    with transaction.atomic():
        locked = locks.locked(request)
        states.next_state(locked, "approve")
        found = coverage(locked, now.date())
        clauses = _clauses_to_resolve(found, resolve)
        two = _needs_two(locked, found, clauses)
        locked.state = states.next_state(locked, "propose" if two else "approve")
        review = _sign(
            reviewer,
            locked,
            ReviewDecision.PROPOSE if two else ReviewDecision.APPROVE,
            reason,
            password,
            now,
            expires_on=expires_on,
            clauses=clauses,
        )
        locked.expires_on = expires_on
        # A clause that this signature resolves counts from the second one on.
        _decide(locked, None if two else "approved", review, found)
    return locked


def countersign(
    *, reviewer: User, request: AccessRequest, reason: str, password: str, now: datetime
) -> AccessRequest:
    """Give the second signature to exactly what the first reviewer signed."""
    permissions.check_may_countersign(reviewer, request)
    _check_reason(reason)
    with transaction.atomic():
        locked = locks.locked(request)
        locked.state = states.next_state(locked, "countersign")
        first = locked.reviews.filter(decision=ReviewDecision.PROPOSE).latest(
            "created_at"
        )
        clauses = [
            ResolvedClause(consent_id=row.consent_id, code=row.code, rules=row.rules)
            for row in first.resolutions.order_by("consent_id", "code")
        ]
        review = _sign(
            reviewer,
            locked,
            ReviewDecision.APPROVE,
            reason,
            password,
            now,
            expires_on=first.expires_on,
            clauses=clauses,
        )
        _decide(locked, "approved", review, coverage(locked, now.date()))
    return locked


def deny(
    *, reviewer: User, request: AccessRequest, reason: str, password: str, now: datetime
) -> AccessRequest:
    """Deny the request; the chair alone may."""
    permissions.check_may_deny(reviewer, request)
    return _answer(
        reviewer, request, ReviewDecision.DENY, "deny", reason, password, now
    )


def send_back(
    *, reviewer: User, request: AccessRequest, reason: str, password: str, now: datetime
) -> AccessRequest:
    """Return the request to the project with questions."""
    permissions.check_may_review(reviewer, request)
    return _answer(
        reviewer, request, ReviewDecision.RETURN, "return", reason, password, now
    )


def _answer(
    reviewer: User,
    request: AccessRequest,
    decision: ReviewDecision,
    act: str,
    reason: str,
    password: str,
    now: datetime,
) -> AccessRequest:
    _check_reason(reason)
    with transaction.atomic():
        locked = locks.locked(request)
        locked.state = states.next_state(locked, act)
        review = _sign(reviewer, locked, decision, reason, password, now)
        word = "denied" if decision == ReviewDecision.DENY else "sent back"
        _decide(locked, word, review, coverage(locked, now.date()))
    return locked


def _clauses_to_resolve(found: Coverage, codes: Sequence[str]) -> list[ResolvedClause]:
    """Return the resolutions, for every consent under review, of the named clauses."""
    wanted = set(codes)
    clauses = [
        ResolvedClause(
            consent_id=decided.consent.pk,
            code=clause.code,
            rules=decided.decision.versions["rules"],
        )
        for decided in found.review.values()
        if decided.consent is not None
        for clause in decided.decision.clauses
        if clause.verdict is Verdict.REVIEW and clause.code in wanted
    ]
    unknown = sorted(wanted - {clause.code for clause in clauses})
    if unknown:
        raise ReviewInvalid(
            f"no donor's consent is under review for clause {unknown[0]}; "
            "a denied clause cannot be turned into permit",
            field="resolve",
        )
    unique = {(item.consent_id, item.code): item for item in clauses}
    return [unique[key] for key in sorted(unique)]


def _needs_two(
    request: AccessRequest, found: Coverage, clauses: list[ResolvedClause]
) -> bool:
    return (
        bool(clauses)
        or bool(request.purpose.get("sensitive"))
        or len(found.permitted) < SMALLEST_SHOWN
    )


def _sign(
    reviewer: User,
    request: AccessRequest,
    decision: ReviewDecision,
    reason: str,
    password: str,
    now: datetime,
    *,
    expires_on: date | None = None,
    clauses: Sequence[ResolvedClause] = (),
) -> Review:
    statement = statements.of_review(request, decision, reason, expires_on, clauses)
    signature = accounts.sign(
        user=reviewer, password=password, statement=statement, now=now
    )
    event = uuid.uuid4()
    review = Review.objects.create(
        request=request,
        reviewer=reviewer,
        decision=decision,
        reason=reason.strip(),
        expires_on=expires_on,
        signature=signature.to_json(),
        statement=statement,
        event=event,
        created_at=now,
    )
    Resolution.objects.bulk_create(
        Resolution(
            review=review,
            consent_id=clause.consent_id,
            code=clause.code,
            rules=clause.rules,
        )
        for clause in clauses
    )
    types = {
        ReviewDecision.APPROVE: "access.approved",
        ReviewDecision.DENY: "access.denied",
    }
    _append(
        types.get(decision, "access.reviewed"),
        request,
        statement,
        reviewer,
        event,
        now,
        resolved=statements.commitments_to(
            event,
            list(
                review.resolutions.filter(
                    consent__donor__erased_at=None
                ).select_related("consent__donor")
            ),
        ),
    )
    return review


def _append(
    type_: str,
    request: AccessRequest,
    statement: bytes,
    reviewer: User,
    event: UUID,
    now: datetime,
    *,
    resolved: Sequence[str],
) -> None:
    pub: dict[str, Any] = {
        "dataset": request.dataset.accession,
        "request_sha256": selectors.request_sha256(request),
        "statement_sha256": hashlib.sha256(statement).hexdigest(),
    }
    ledger.services.append(
        type=type_,
        pub=pub,
        # The entry commits to its body, so a build can rely on what stands here.
        body={
            "request": request.accession,
            "reviewer": str(reviewer.pk),
            "statement_sha256": pub["statement_sha256"],
            "resolved": list(resolved),
        },
        event=event,
        now=now,
    )


def _decide(
    request: AccessRequest, word: str | None, review: Review, found: Coverage
) -> None:
    """Store the outcome and tell the project; `word` None means not yet decided.

    `found` is whom the request reaches once this review stands.
    """
    request.verdict = found.to_json()
    if word in {"approved", "denied"}:
        request.decided_at = review.created_at
        request.event_decided = review.event
    request.save()
    if word is None:
        return
    for member in request.project.members.all():
        gemmule.notices.services.notify(
            user=member,
            kind=f"request.{word.replace(' ', '_')}",
            subject=f"Request {request.accession} was {word}",
            body=review.reason,
            url=f"/research/requests/{request.accession}/",
            now=review.created_at,
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ReviewInvalid("a decision needs a reason", field="reason")
