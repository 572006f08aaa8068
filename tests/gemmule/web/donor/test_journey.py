"""Giving consent page by page: what is asked, refused and signed."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import ledger.selectors
from consent import events, selectors
from consent.models import Act, Donor, FormVersion
from gemmule.accounts.models import User
from gemmule.demo.cast import PASSWORD
from tests.gemmule.web.donor.walk import (
    ANSWERS,
    REVIEW,
    RIGHT,
    SIMPLE,
    answer,
    begin,
    give,
    hidden,
    page_of,
    sign,
)

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


def test_every_answer_becomes_the_terms_it_says(client: Client, donor: Donor) -> None:
    came = answer(client, ANSWERS)
    reply = sign(client)

    made = selectors.current(donor)
    assert made is not None
    assert came == list(ANSWERS)
    assert reply.headers["Location"] == reverse("donor_receipt", args=[made.event])
    assert made.act == Act.GIVEN
    assert made.terms == {
        "permission": "DS",
        "diseases": ["MONDO:0007254"],
        "modifiers": {
            "GS": ["NO", "SE"],
            "NMDS": True,
            "NPUNCU": True,
            "PUB": True,
            "TS": 60,
        },
    }
    assert made.withheld["genes"] == ["APOE", "BRCA1", "BRCA2", "C9orf72"]
    assert made.withheld["mode"] == "missing"
    assert made.discovery is True


def test_only_what_follows_from_the_answers_is_asked(client: Client) -> None:
    assert answer(client, SIMPLE) == list(SIMPLE)


def test_the_signature_is_over_the_words_that_were_read(
    client: Client, donor: Donor, version: FormVersion
) -> None:
    made = give(client, ANSWERS)

    body = ledger.selectors.open_body(made.event)
    assert body is not None
    evidence = body["evidence"]
    statement = events.statement(
        act="given",
        form_sha256=version.sha256,
        language="en",
        terms=body["terms"],
        withheld=body["withheld"],
        discovery=body["discovery"],
        sentences=evidence["sentences"],
    )
    assert evidence["method"] == "password"
    assert evidence["statement_sha256"] == hashlib.sha256(statement).hexdigest()
    assert body["answers"]["genes"] == ["APOE", "C9orf72"]
    receipt = client.get(reverse("donor_receipt", args=[made.event]))
    for sentence in evidence["sentences"]:
        assert sentence in receipt.content.decode()


def test_nothing_is_ticked_beforehand(client: Client) -> None:
    at = begin(client)
    while at != REVIEW:
        name = at.strip("/").rpartition("/")[2]
        page = client.get(at).content.decode()
        assert "checked" not in page, name
        at = client.post(at, {name: ANSWERS[name]}).headers["Location"]


def test_a_second_click_is_the_same_act(client: Client, donor: Donor) -> None:
    answer(client, SIMPLE)
    sent = {**hidden(client), "password": PASSWORD}

    first = client.post(REVIEW, sent)
    second = client.post(REVIEW, sent)

    assert first.headers["Location"] == second.headers["Location"]
    assert selectors.history(donor).count() == 1


def test_a_second_click_in_the_same_moment_is_the_same_act(
    ada: User, client: Client, donor: Donor, signed_in: SignedIn
) -> None:
    answer(client, SIMPLE)
    sent = {**hidden(client), "password": PASSWORD}
    before = client.session["consent_draft"]
    client.post(REVIEW, sent)
    session = client.session  # The other request had read it before it was dropped.
    session["consent_draft"] = before
    session.save()

    assert client.post(REVIEW, sent).status_code == 302
    assert selectors.history(donor).count() == 1


def test_wrong_password_signs_nothing_and_keeps_the_answers(
    client: Client, donor: Donor
) -> None:
    answer(client, SIMPLE)

    reply = sign(client, password="not-this-one")

    assert reply.status_code == 422
    assert "This is not your password" in reply.content.decode()
    assert selectors.current(donor) is None
    assert sign(client).status_code == 302


@pytest.mark.parametrize("missing", ["password", "statement_sha256"])
def test_unsigned_page_records_nothing(
    missing: str, client: Client, donor: Donor
) -> None:
    answer(client, SIMPLE)
    assert sign(client, **{missing: ""}).status_code == 422
    assert selectors.current(donor) is None


def test_what_was_not_read_cannot_be_signed(client: Client, donor: Donor) -> None:
    """Two windows: the answers change after the review page was opened."""
    answer(client, SIMPLE)
    sent = hidden(client)
    client.post(page_of("companies"), {"companies": "yes"})

    reply = client.post(REVIEW, {**sent, "password": PASSWORD})

    assert reply.status_code == 422
    assert "have changed" in reply.content.decode()
    assert selectors.current(donor) is None


def test_wrong_answers_are_explained_without_end(client: Client) -> None:
    client.post(reverse("donor_consent"))
    check = reverse("donor_consent_check")
    for _ in range(6):
        page = client.post(check, {**RIGHT, "recall": "gone"})
        assert page.status_code == 422
        assert "We can not reach into another computer" in page.content.decode()
        assert 'value="gone"' in page.content.decode()
    assert client.get(page_of("research")).headers["Location"] == check
    assert client.post(check, RIGHT).headers["Location"] == page_of("research")


def test_check_needs_every_answer(client: Client) -> None:
    client.post(reverse("donor_consent"))
    page = client.post(reverse("donor_consent_check"), {"recall": "asked"})
    assert page.status_code == 422
    assert page.content.decode().count("Choose one answer.") == 4  # Summary and field.


@pytest.mark.parametrize(
    ("name", "sent", "error"),
    [
        ("research", {}, "Choose one answer."),
        ("research", {"research": "everything"}, "Choose one of the answers"),
        ("diseases", {}, "Tick at least one illness."),
        ("diseases", {"diseases": ["MONDO:9999999"]}, "from the list"),
        ("conditions", {"conditions": ["publish", "free beer"]}, "Choose one of the"),
        ("conditions", {"conditions": ["no-ancestry"]}, "Choose one of the"),
        ("countries", {}, "Tick at least one country."),
        ("countries", {"countries": ["SE", "XX"]}, "from the list"),
        ("genes", {"genes": "BRCA1 BRACA1"}, "Did you mean BRCA"),
        ("genes", {"genes": "chr1:1-20"}, "We know no gene"),
        ("genes", {"genes": "100%s"}, "We know no gene called “100%s”."),
        ("genes", {"genes": "her2"}, "“her2” is another name of ERBB2."),
        ("genes", {"genes": "SEPT2"}, "Did you mean SEPTIN2 or SEPTIN6?"),
    ],
)
def test_answer_that_makes_no_sense_is_refused_on_its_page(
    name: str, sent: dict[str, Any], error: str, client: Client
) -> None:
    at = begin(client)
    while at != page_of(name):
        asked = at.strip("/").rpartition("/")[2]
        at = client.post(at, {asked: ANSWERS[asked]}).headers["Location"]

    page = client.post(at, sent)

    assert page.status_code == 422
    assert error in page.content.decode()
    assert client.get(REVIEW).headers["Location"] == at


def test_what_was_typed_stays_after_an_error(client: Client) -> None:
    answer(client, ANSWERS)
    page = client.post(page_of("genes"), {"genes": "BRCA1, NOTAGENE1"})
    assert "BRCA1, NOTAGENE1" in page.content.decode()


def test_another_name_of_a_gene_is_taken_by_its_button_and_shown_first(
    client: Client,
) -> None:
    answer(client, ANSWERS)
    typed = {"genes": "APOE, p53"}
    page = client.post(page_of("genes"), typed).content.decode()
    assert 'name="put_instead" value="p53=TP53"' in page

    taken = client.post(page_of("genes"), {**typed, "put_instead": "p53=TP53"})

    assert taken.status_code == 200
    assert "APOE, TP53" in taken.content.decode()
    assert "TP53 now stands in place of p53." in taken.content.decode()
    # Shown, not answered yet: that takes Continue.
    assert "TP53" not in client.get(REVIEW).content.decode()
    client.post(page_of("genes"), {"genes": "APOE, TP53"})
    assert "TP53" in client.get(REVIEW).content.decode()


def test_keeping_back_no_gene_at_all_is_asked_about(client: Client) -> None:
    at = begin(client)
    while at != page_of("genes"):
        asked = at.strip("/").rpartition("/")[2]
        value = [] if asked == "presets" else ANSWERS[asked]
        at = client.post(at, {asked: value}).headers["Location"]

    page = client.post(at, {"genes": " "})

    assert page.status_code == 422
    assert "Name a gene" in page.content.decode()


def test_search_finds_diseases_without_scripts_and_keeps_the_ticks(
    client: Client,
) -> None:
    at = begin(client)
    at = client.post(at, {"research": "diseases"}).headers["Location"]

    page = client.post(
        at, {"search": "asthma", "diseases": ["MONDO:0007254"], "find": "1"}
    )

    text = page.content.decode()
    assert page.status_code == 200
    assert "MONDO:0004979" in text
    assert re.search(r'value="MONDO:0007254"[^>]* checked', text)
    assert not re.search(r'value="MONDO:0004979"[^>]* checked', text)
    assert client.get(REVIEW).headers["Location"] == at, "a search answers nothing"


def test_search_that_finds_nothing_says_so(client: Client) -> None:
    client.post(begin(client), {"research": "diseases"})
    page = client.post(page_of("diseases"), {"search": "<b>zzz", "find": "1"})
    assert "Nothing is called" in page.content.decode()
    assert "<b>zzz" not in page.content.decode()
