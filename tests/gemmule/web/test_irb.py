"""The IRB's pages: the queue, a request beside its exact verdict, the signed acts."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from consent import purpose
from gemmule.access import reviews
from gemmule.access.models import AccessRequest, RequestState
from gemmule.accounts.models import Role, User
from gemmule.demo.cast import PASSWORD
from gemmule.web import words
from tests import factories
from tests.gemmule.access.conftest import (
    dataset,
    draft,
    project,
    submit_with,
    submitted,
)
from tests.gemmule.api.conftest import now

__all__ = ["dataset", "draft", "now", "project", "submit_with", "submitted"]
pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
SIGNED = {"reason": "Sound <science>.", "password": PASSWORD}


@pytest.fixture
def client(signed_in: SignedIn, ira: User) -> Client:
    return signed_in(ira)


@pytest.fixture
def approval(now: datetime) -> dict[str, Any]:
    until = (now + timedelta(days=200)).date()
    return {**SIGNED, "expires_on": until.isoformat()}


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def address(name: str, request: AccessRequest) -> str:
    return reverse(name, args=[request.accession])


# --- reading -----------------------------------------------------------------------


def test_the_queue_is_oldest_first_and_marks_what_is_late(
    client: Client,
    submit_with: Callable[..., AccessRequest],
    now: datetime,
) -> None:
    newer, older = submit_with(), submit_with()
    AccessRequest.objects.filter(pk=older.pk).update(
        submitted_at=now - timedelta(days=11)
    )
    text = page(client.get(reverse("irb_queue")))
    assert text.index(older.accession) < text.index(newer.accession)
    assert text.count(">Late<") == 1
    assert "No decision yet." in text


def test_an_empty_queue_says_so(client: Client) -> None:
    assert "Nothing waits" in page(client.get(reverse("irb_queue")))


def test_the_queue_takes_the_same_queries_however_long(
    client: Client,
    submit_with: Callable[..., AccessRequest],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (1, 3):
        for _ in range(count):
            submit_with()
        # Waiting, decided, roles thrice; session, person; and the frame's roles,
        # unread notices and checkpoint.
        with django_assert_num_queries(10):
            client.get(reverse("irb_queue"))


def test_a_request_stands_beside_its_exact_verdict(
    client: Client, submitted: AccessRequest
) -> None:
    text = page(client.get(address("irb_request", submitted)))
    assert re.search(r"permitted of 60 donors</dt>\s*<dd>40<", text)
    assert re.search(r"ask for a review</dt>\s*<dd>15<", text)
    assert re.search(r"denied</dt>\s*<dd>5<", text)
    assert "We need many hearts." in text
    assert "Approval claimed, not seen yet" in text
    assert 'class="seal' in text


def test_everything_a_purpose_states_is_shown(
    client: Client, submit_with: Callable[..., AccessRequest]
) -> None:
    asked = submit_with(
        collaboration_letter=True,
        uses_genetic_data=False,
        prohibited=["insurance"],
        sensitive=["children"],
        agrees_to=["RTN"],
        diseases=["MONDO:0007254"],
        commercial=True,
    )
    text = page(client.get(address("irb_request", asked)))
    for said in (
        "breast cancer (MONDO:0007254)",
        "commercial use",
        "letter of collaboration",
        "No genetic data are used",
        "insurance",
        "Children",
        "return derived data",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("known", "worded"),
    [
        (purpose.RESEARCH_TYPES, words.RESEARCH_TYPES),
        (purpose.AGREEMENTS, words.AGREEMENTS),
        (tuple(purpose.SENSITIVE), words.SENSITIVE),
        (purpose.PROHIBITED, words.PROHIBITED),
        (purpose.ETHICS, words.ETHICS),
    ],
)
def test_whatever_a_purpose_may_hold_has_words(
    known: tuple[str, ...], worded: dict[str, str]
) -> None:
    assert set(known) == set(worded)


def test_only_what_a_member_may_do_now_is_offered(
    client: Client,
    signed_in: SignedIn,
    ingrid: User,
    aud: User,
    submitted: AccessRequest,
) -> None:
    acts = ("approve", "countersign", "deny", "send_back", "verify_ethics")

    def offered(reader: Client) -> list[str]:
        text = page(reader.get(address("irb_request", submitted)))
        return [act for act in acts if address(f"irb_{act}", submitted) in text]

    assert offered(client) == ["approve", "send_back", "verify_ethics"]
    assert offered(signed_in(ingrid)) == [
        "approve",
        "deny",
        "send_back",
        "verify_ethics",
    ]
    assert offered(signed_in(aud)) == []


# --- approving -----------------------------------------------------------------------


def test_one_member_approves_a_plain_request(
    client: Client, submitted: AccessRequest, approval: dict[str, Any]
) -> None:
    page(client.get(address("irb_approve", submitted)))
    answer = client.post(address("irb_approve", submitted), approval)
    assert answer.headers["Location"] == address("irb_request", submitted)
    text = page(client.get(address("irb_request", submitted)))
    assert "Signed: approved." in text
    assert "Sound &lt;science&gt;." in text
    submitted.refresh_from_db()
    assert submitted.state == RequestState.APPROVED
    assert str(submitted.expires_on) == approval["expires_on"]
    assert submitted.accession in page(client.get(reverse("irb_queue")))


def test_a_resolved_clause_waits_for_the_second_signature(
    client: Client,
    signed_in: SignedIn,
    ingrid: User,
    submitted: AccessRequest,
    approval: dict[str, Any],
) -> None:
    assert "(15 donors)" in page(client.get(address("irb_approve", submitted)))
    client.post(address("irb_approve", submitted), {**approval, "resolve": ["IRB"]})
    submitted.refresh_from_db()
    assert submitted.state == RequestState.COUNTERSIGNING
    second = address("irb_countersign", submitted)
    # The first member cannot sign twice, and is not shown the form.
    assert client.get(second).status_code == 403
    assert client.post(second, SIGNED).status_code == 403
    chair = signed_in(ingrid)
    assert "Sound &lt;science&gt;." in page(chair.get(second))
    chair.post(second, SIGNED)
    text = page(chair.get(address("irb_request", submitted)))
    assert re.search(r"permitted of 60 donors</dt>\s*<dd>55<", text)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"password": "wrong"}, "password", "not your password"),
        ({"password": ""}, "password", "required"),
        ({"reason": " "}, "reason", "required"),
        ({"expires_on": ""}, "expires_on", "required"),
        ({"expires_on": "2020-01-01"}, "expires_on", "in the future"),
        ({"expires_on": "soon"}, "expires_on", "valid date"),
        ({"resolve": ["POA"]}, "resolve", "not one of the available choices"),
    ],
)
def test_an_approval_that_lacks_something_keeps_what_was_typed_but_the_password(
    client: Client,
    submitted: AccessRequest,
    approval: dict[str, Any],
    change: dict[str, Any],
    field: str,
    says: str,
) -> None:
    approval |= {"reason": "Kept reason."}
    text = page(client.post(address("irb_approve", submitted), approval | change), 422)
    assert says in text
    assert re.search(rf'href="#id_{field}(_0)?"', text)
    assert "Kept reason." in text or field == "reason"
    assert PASSWORD not in text
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED
    assert not submitted.reviews.exists()


def test_guessing_the_password_comes_to_a_halt(
    client: Client, submitted: AccessRequest, approval: dict[str, Any]
) -> None:
    for _ in range(5):
        client.post(address("irb_approve", submitted), {**approval, "password": "x"})
    text = page(client.post(address("irb_approve", submitted), approval), 422)
    assert "wait 15 minutes" in text
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED


def test_who_has_a_part_in_it_is_refused_with_the_reason(
    signed_in: SignedIn,
    rosa: User,
    submitted: AccessRequest,
    approval: dict[str, Any],
) -> None:
    # She has become a reviewer meanwhile, and it is her own project.
    from_project = signed_in(rosa)
    rosa.role_grants.update(role="irb_reviewer")
    text = page(from_project.get(address("irb_approve", submitted)), 403)
    assert "member of the project cannot review" in text
    assert (
        from_project.post(address("irb_approve", submitted), approval).status_code
        == 403
    )


# --- the other acts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state", "done"),
    [
        ("irb_deny", "denied", "the project was told"),
        ("irb_send_back", "returned", "Sent back."),
        ("irb_verify_ethics", "submitted", "counts as seen"),
    ],
)
def test_an_act_takes_a_reason_and_a_signature(
    signed_in: SignedIn,
    ingrid: User,
    submitted: AccessRequest,
    name: str,
    state: str,
    done: str,
) -> None:
    chair = signed_in(ingrid)
    assert submitted.accession in page(chair.get(address(name, submitted)))
    for lacking in ({"reason": ""}, {"password": "wrong"}):
        page(chair.post(address(name, submitted), SIGNED | lacking), 422)
        submitted.refresh_from_db()
        assert submitted.state == "submitted"
        assert submitted.purpose["ethics_approval"] == "unverified"
    answer = chair.post(address(name, submitted), SIGNED)
    assert answer.headers["Location"] == address("irb_request", submitted)
    assert done in page(chair.get(address("irb_request", submitted)))
    submitted.refresh_from_db()
    assert submitted.state == state


def test_a_reviewer_alone_is_not_shown_how_to_deny(
    client: Client, submitted: AccessRequest
) -> None:
    assert "Only the chair" in page(client.get(address("irb_deny", submitted)), 403)
    assert client.post(address("irb_deny", submitted), SIGNED).status_code == 403
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED


def test_seen_ethics_let_in_the_donors_who_ask_for_it(
    client: Client, submitted: AccessRequest
) -> None:
    client.post(address("irb_verify_ethics", submitted), SIGNED)
    text = page(client.get(address("irb_request", submitted)))
    assert "Approval seen by the IRB" in text
    assert "Ethics approval seen, signed by Ira" in text
    assert re.search(r"permitted of 60 donors</dt>\s*<dd>55<", text)
    assert address("irb_verify_ethics", submitted) not in text


def test_ethics_nobody_claimed_cannot_be_confirmed(
    client: Client, submit_with: Callable[..., AccessRequest]
) -> None:
    asked = submit_with()
    text = page(client.post(address("irb_verify_ethics", asked), SIGNED), 422)
    assert "no unverified ethics approval" in text


@pytest.mark.parametrize(
    "name", ["irb_approve", "irb_countersign", "irb_deny", "irb_send_back"]
)
def test_what_was_decided_is_not_decided_again(
    signed_in: SignedIn,
    ira: User,
    ingrid: User,
    submitted: AccessRequest,
    approval: dict[str, Any],
    now: datetime,
    name: str,
) -> None:
    reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(now + timedelta(days=9)).date(),
        resolve=[],
        password=PASSWORD,
        now=now,
    )
    chair = signed_in(ingrid)
    for answer in (
        chair.get(address(name, submitted)),
        chair.post(address(name, submitted), approval),
    ):
        assert "is approved" in page(answer, 409)
    assert submitted.reviews.count() == 1


def test_a_vote_that_came_first_is_told_by_the_form(
    client: Client,
    ingrid: User,
    submitted: AccessRequest,
    approval: dict[str, Any],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign = reviews.approve

    def after_the_chair(**given: Any) -> AccessRequest:
        reviews.deny(
            reviewer=ingrid, request=submitted, reason="No.", password=PASSWORD, now=now
        )
        return sign(**given)

    monkeypatch.setattr(reviews, "approve", after_the_chair)
    text = page(client.post(address("irb_approve", submitted), approval), 422)
    assert "is denied" in text
    assert "Sound &lt;science&gt;." in text


def test_a_draft_of_the_readers_own_is_no_request_to_review(
    signed_in: SignedIn, rosa: User, draft: AccessRequest
) -> None:
    factories.grant(rosa, Role.IRB_REVIEWER)
    client = signed_in(rosa)
    assert draft.accession in page(client.get(reverse("research_home")))
    assert client.get(address("irb_request", draft)).status_code == 404
    assert client.post(address("irb_approve", draft), SIGNED).status_code == 404
