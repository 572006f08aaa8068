"""Answers between the steps: what they open, carry over and forget."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

import consent.services
from consent import selectors
from consent.forms import shipped
from consent.models import Act, Donor, FormVersion
from gemmule.accounts.models import User
from tests.gemmule.web.donor.pages import text
from tests.gemmule.web.donor.walk import (
    ANSWERS,
    REVIEW,
    RIGHT,
    SIMPLE,
    answer,
    begin,
    give,
    page_of,
    sign,
)

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


def test_change_of_mind_on_the_way_asks_what_it_opens(
    client: Client, donor: Donor
) -> None:
    answer(client, SIMPLE)

    reply = client.post(page_of("research"), {"research": "diseases"})
    assert reply.headers["Location"] == page_of("diseases")
    client.post(page_of("diseases"), {"diseases": ["MONDO:0007254"]})
    reply = client.post(page_of("research"), {"research": "health"})

    assert reply.headers["Location"] == REVIEW
    assert sign(client).status_code == 302
    made = selectors.current(donor)
    assert made is not None
    assert (made.terms["permission"], made.terms["diseases"]) == ("HMB", [])


def test_new_choices_of_a_question_are_shown_before_signing(client: Client) -> None:
    answer(client, SIMPLE)
    reply = client.post(page_of("research"), {"research": "any"})
    assert reply.headers["Location"] == page_of("conditions")


@pytest.mark.parametrize(
    "at", [reverse("donor_consent_check"), page_of("research"), REVIEW]
)
def test_a_step_without_a_beginning_leads_to_it(at: str, client: Client) -> None:
    assert client.get(at).headers["Location"] == reverse("donor_consent")


def test_no_step_can_be_skipped(client: Client) -> None:
    client.post(reverse("donor_consent"))
    check = reverse("donor_consent_check")
    assert client.get(REVIEW).headers["Location"] == check
    client.post(check, RIGHT)
    first = page_of("research")
    for at in (REVIEW, page_of("companies"), page_of("diseases")):
        assert client.get(at).headers["Location"] == first
        assert client.post(at, {"companies": "yes"}).headers["Location"] == first


def test_unknown_question_is_not_there(client: Client) -> None:
    begin(client)
    assert client.get(page_of("shoe-size")).status_code == 404


def test_change_starts_from_the_signed_answers(client: Client, donor: Donor) -> None:
    give(client, ANSWERS)

    assert begin(client) == REVIEW
    page = client.get(REVIEW).content.decode()
    assert "breast cancer" in page
    assert "C9orf72" in page
    assert "checked" in client.get(page_of("companies")).content.decode()
    client.post(page_of("companies"), {"companies": "yes"})
    assert sign(client).status_code == 302

    made = selectors.current(donor)
    assert made is not None
    assert (made.act, made.number) == (Act.CHANGED, 2)
    assert "NPUNCU" not in made.terms["modifiers"]


def test_change_while_paused_finds_the_answers_too(
    client: Client, donor: Donor
) -> None:
    give(client, SIMPLE)
    client.post(reverse("donor_pause"))
    assert begin(client) == REVIEW


def test_after_a_withdrawal_nothing_is_ticked(client: Client, donor: Donor) -> None:
    give(client, SIMPLE)
    client.post(reverse("donor_withdraw"))

    assert begin(client) == page_of("research")
    assert "checked" not in client.get(page_of("research")).content.decode()
    give(client, SIMPLE)
    made = selectors.current(donor)
    assert made is not None
    assert made.act == Act.GIVEN


def test_answers_to_another_form_are_not_carried_over(
    client: Client, donor: Donor, now: datetime
) -> None:
    give(client, SIMPLE)
    begin(client)
    newer = {**shipped.content(), "title": "A newer form"}
    consent.services.publish_form(
        name="general", version="1.1", language="en", content=newer, now=now
    )

    assert client.get(REVIEW).headers["Location"] == reverse("donor_home")
    assert begin(client) == page_of("research")


def test_without_a_form_the_page_says_so(ada: User, signed_in: SignedIn) -> None:
    page = signed_in(ada).get(reverse("donor_consent"))
    assert page.status_code == 503
    assert "form" in page.content.decode()


def test_event_of_another_donor_is_not_hers(
    client: Client, donor: Donor, version: FormVersion, now: datetime
) -> None:
    other = consent.services.register_donor(now=now)
    theirs = consent.services.refuse(
        donor=other, form=version, event=uuid.uuid4(), now=now
    )
    answer(client, SIMPLE)

    reply = sign(client, event=str(theirs.event))

    made = selectors.current(donor)
    assert made is not None
    assert reply.headers["Location"] == reverse("donor_receipt", args=[made.event])
    assert made.event != theirs.event


def test_answers_are_promised_only_where_they_can_be_carried_over(
    client: Client, donor: Donor, now: datetime
) -> None:
    give(client, SIMPLE)
    assert "you see your answers" in text(client.get(reverse("donor_consent")))
    newer = {**shipped.content(), "title": "A newer form"}
    consent.services.publish_form(
        name="general", version="1.1", language="en", content=newer, now=now
    )
    page = text(client.get(reverse("donor_consent")))
    assert "you see your answers" not in page
    assert "short questions" in page
