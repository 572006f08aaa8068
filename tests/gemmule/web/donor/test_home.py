"""The start page answers what is allowed, who used it and how to stop."""

from datetime import datetime

import pytest
from django.test import Client

import consent.services
from consent.models import Consent, Donor, FormVersion
from consent.terms import Terms
from gemmule.releases.models import (
    Release,
)
from tests.gemmule.web.donor.pages import EVENT, text

pytestmark = pytest.mark.django_db


def test_donor_who_has_decided_nothing_is_asked(client: Client) -> None:
    page = text(client.get("/donor/"))
    assert "You have not decided yet" in page
    assert "Read and decide" in page
    assert "Take back" not in page


def test_home_answers_the_three_questions(
    client: Client, given: Consent, release: Release
) -> None:
    answer = client.get("/donor/")
    page = text(answer)
    assert "any kind of research" in page
    assert "in 1 file so far" in page
    assert 'href="/donor/withdraw/"' in answer.content.decode()


def test_home_keeps_no_rule_from_the_donor(client: Client, given: Consent) -> None:
    page = text(client.get("/donor/"))
    for part in ("results public", "1 year at most", "APOE", "come back", "counted"):
        assert part in page


@pytest.mark.parametrize("act", ["paused", "withdrawn", "refused", "expired"])
def test_home_says_where_each_state_stands(
    act: str, client: Client, donor: Donor, version: FormVersion, now: datetime
) -> None:
    if act == "refused":
        client.post("/donor/refuse/")
    else:
        consent.services.give(
            donor=donor,
            form=version,
            terms=Terms.from_json({"permission": "GRU"}),
            event=EVENT,
            valid_until=now.date() if act == "expired" else None,
            now=now,
        )
    if act == "paused":
        client.post("/donor/pause/")
    if act == "withdrawn":
        client.post("/donor/withdraw/")
    said = {
        "paused": "You paused. Nothing new is sent.",
        "withdrawn": "You took back your consent. Nothing may be used.",
        "refused": "You said no. Nothing may be used.",
        "expired": "Your consent ran out. Nothing may be used.",
    }
    assert said[act] in text(client.get("/donor/"))
