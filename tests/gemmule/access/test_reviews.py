"""The IRB's signed acts: who, in which state, and what each turns into."""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

import consent.services
import ledger.selectors
from gemmule.access import reviews, selectors, services
from gemmule.access.coverage import coverage
from gemmule.access.errors import RequestStateError, ReviewInvalid
from gemmule.access.models import (
    AccessRequest,
    Project,
    RequestState,
    Resolution,
    ReviewDecision,
)
from gemmule.accounts.errors import NotAllowed, SignatureRefused
from gemmule.accounts.models import Role, User
from gemmule.demo.cast import PASSWORD
from tests import cohorts, factories

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


def approve(reviewer: User, request: AccessRequest, now: datetime, **other: Any) -> Any:
    fields: dict[str, Any] = {
        "reason": "Sound science.",
        "expires_on": (now + YEAR).date(),
        "resolve": [],
        "password": PASSWORD,
        **other,
    }
    return reviews.approve(reviewer=reviewer, request=request, now=now, **fields)


def test_one_reviewer_approves_a_plain_request(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    approved = approve(ira, submitted, now)
    assert approved.state == RequestState.APPROVED
    assert approved.expires_on == (now + YEAR).date()
    review = approved.reviews.get()
    digest = hashlib.sha256(bytes(review.statement)).hexdigest()
    entry = ledger.selectors.entry(review.event)
    assert entry.type == "access.approved"
    assert entry.pub["statement_sha256"] == digest
    assert review.signature["statement_sha256"] == digest
    assert approved.event_decided == review.event


def test_a_second_approval_is_refused(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    approve(ira, submitted, now)
    with pytest.raises(RequestStateError, match="approved"):
        approve(ingrid, submitted, now)
    assert submitted.reviews.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"expires_on": None}, "expires_on"),
        ({"expires_on": date(2026, 3, 2)}, "expires_on"),
        ({"resolve": ["POA"]}, "resolve"),
    ],
)
def test_an_approval_that_lacks_something_changes_nothing(
    ira: User,
    submitted: AccessRequest,
    now: datetime,
    fields: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(ReviewInvalid) as refused:
        approve(ira, submitted, now, **fields)
    assert refused.value.field == field
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED
    assert not submitted.reviews.exists()


def test_a_wrong_password_signs_nothing(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    with pytest.raises(SignatureRefused):
        approve(ira, submitted, now, password="not hers")
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED
    assert not submitted.reviews.exists()


@pytest.mark.parametrize("who", ["rosa", "ada", "sven", "aud", "alma", "sam"])
def test_only_the_irb_approves(
    request: pytest.FixtureRequest, submitted: AccessRequest, now: datetime, who: str
) -> None:
    with pytest.raises(NotAllowed):
        approve(request.getfixturevalue(who), submitted, now)


def test_a_member_of_the_project_cannot_approve_it(
    rosa: User, submitted: AccessRequest, now: datetime
) -> None:
    factories.grant(rosa, Role.IRB_REVIEWER)
    with pytest.raises(NotAllowed, match="member of the project"):
        approve(rosa, submitted, now)


def test_a_steward_of_the_dataset_cannot_approve_requests_for_it(
    signe: User, submitted: AccessRequest, now: datetime
) -> None:
    factories.grant(signe, Role.IRB_REVIEWER)
    with pytest.raises(NotAllowed, match="steward"):
        approve(signe, submitted, now)


def test_a_resolved_clause_needs_a_second_person(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    proposed = approve(ira, submitted, now, resolve=["IRB"])
    assert proposed.state == RequestState.COUNTERSIGNING
    with pytest.raises(NotAllowed, match="another person"):
        reviews.countersign(
            reviewer=ira, request=proposed, reason="Again.", password=PASSWORD, now=now
        )
    approved = reviews.countersign(
        reviewer=ingrid, request=proposed, reason="Seen.", password=PASSWORD, now=now
    )
    assert approved.state == RequestState.APPROVED
    assert len(coverage(approved, now.date()).permitted) == 55


def test_a_resolution_counts_only_once_countersigned(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    proposed = approve(ira, submitted, now, resolve=["IRB"])
    assert len(coverage(proposed, now.date()).permitted) == 40


def test_a_resolution_does_not_outlive_the_consent_it_was_given_for(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    proposed = approve(ira, submitted, now, resolve=["IRB"])
    approved = reviews.countersign(
        reviewer=ingrid, request=proposed, reason="Seen.", password=PASSWORD, now=now
    )
    donor = Resolution.objects.filter(review__decision="approve")[0].consent.donor
    consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)
    cohorts.agree(donor, cohorts.NEEDS_ETHICS, now)
    found = coverage(approved, now.date())
    assert donor.pk in found.review
    assert len(found.permitted) == 54


def test_a_denied_clause_can_never_be_resolved(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    codes = {clause.code for clause in coverage(submitted, now.date()).clauses()}
    denied = codes - {"IRB"}
    assert denied
    for code in denied:
        with pytest.raises(ReviewInvalid, match="cannot be turned"):
            approve(ira, submitted, now, resolve=[code])


def test_a_sensitive_purpose_needs_two_signatures(
    ira: User, submit_with: Callable[..., AccessRequest], now: datetime
) -> None:
    sensitive = submit_with(sensitive=["children"])
    assert approve(ira, sensitive, now).state == RequestState.COUNTERSIGNING


def test_a_small_result_needs_two_signatures(
    ira: User,
    rosa: User,
    project: Project,
    sven: User,
    signe: User,
    now: datetime,
) -> None:
    few = cohorts.dataset(
        cohorts.donors([cohorts.GENERAL] * 19, now),
        steward=sven,
        second=signe,
        now=now,
    )
    draft = services.draft_request(user=rosa, project=project, dataset=few, now=now)
    draft = services.update_draft(
        user=rosa, request=draft, purpose=cohorts.PURPOSE, justification="Few."
    )
    small = services.submit(user=rosa, request=draft, now=now)
    assert approve(ira, small, now).state == RequestState.COUNTERSIGNING


def test_only_the_chair_denies(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match="chair"):
        reviews.deny(
            reviewer=ira, request=submitted, reason="No.", password=PASSWORD, now=now
        )
    denied = reviews.deny(
        reviewer=ingrid, request=submitted, reason="Unsafe.", password=PASSWORD, now=now
    )
    assert denied.state == RequestState.DENIED
    assert denied.event_decided is not None
    assert ledger.selectors.entry(denied.event_decided).type == "access.denied"


def test_a_request_comes_back_with_questions_and_can_be_sent_again(
    ira: User, rosa: User, submitted: AccessRequest, now: datetime
) -> None:
    back = reviews.send_back(
        reviewer=ira, request=submitted, reason="Why?", password=PASSWORD, now=now
    )
    assert back.state == RequestState.RETURNED
    services.update_draft(user=rosa, request=back, justification="Because.")
    again = services.submit(user=rosa, request=back, now=now)
    assert again.state == RequestState.SUBMITTED


def test_verified_ethics_reaches_the_donors_who_ask_for_it(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    verified = reviews.verify_ethics(
        reviewer=ira, request=submitted, reason="Seen.", password=PASSWORD, now=now
    )
    assert verified.purpose["ethics_approval"] == "verified"
    assert len(coverage(verified, now.date()).permitted) == 55
    assert verified.state == RequestState.SUBMITTED


def test_seen_ethics_are_kept_as_they_were_signed(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    verified = reviews.verify_ethics(
        reviewer=ira, request=submitted, reason=" Seen. ", password=PASSWORD, now=now
    )
    review = verified.reviews.get()
    assert (review.decision, review.reason) == (ReviewDecision.ETHICS, "Seen.")
    assert review.reviewer == ira
    statement = json.loads(bytes(review.statement))
    assert statement["decision"] == "ethics"
    assert statement["request_sha256"] == selectors.request_sha256(verified)
    digest = hashlib.sha256(bytes(review.statement)).hexdigest()
    entry = ledger.selectors.entry(review.event)
    assert entry.type == "access.reviewed"
    assert entry.pub["statement_sha256"] == digest
    assert review.signature["statement_sha256"] == digest


def test_ethics_under_a_wrong_password_are_not_seen(
    ira: User, submitted: AccessRequest, now: datetime
) -> None:
    with pytest.raises(SignatureRefused):
        reviews.verify_ethics(
            reviewer=ira, request=submitted, reason="Seen.", password="x", now=now
        )
    submitted.refresh_from_db()
    assert submitted.purpose["ethics_approval"] == "unverified"
    assert not submitted.reviews.exists()


def test_an_approval_follows_the_sight_of_the_ethics(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> None:
    seen = reviews.verify_ethics(
        reviewer=ingrid, request=submitted, reason="Seen.", password=PASSWORD, now=now
    )
    approved = approve(ira, seen, now)
    assert approved.state == RequestState.APPROVED
    assert approved.event_decided == approved.reviews.get(decision="approve").event


def test_ethics_nobody_claimed_cannot_be_verified(
    ira: User, submit_with: Callable[..., AccessRequest], now: datetime
) -> None:
    with pytest.raises(ReviewInvalid, match="no unverified"):
        reviews.verify_ethics(
            reviewer=ira,
            request=submit_with(),
            reason="Seen.",
            password=PASSWORD,
            now=now,
        )
