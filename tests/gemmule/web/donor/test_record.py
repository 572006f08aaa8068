"""The timeline of a donor's acts, the receipt of each, and files to keep."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import ledger.selectors
import ledger.services
from consent.models import Consent
from gemmule.accounts.models import Role, User
from ledger.tlog import opening, receipt
from tests import factories
from tests.gemmule.web import looks
from tests.gemmule.web.donor.pages import EVENT, text

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


def test_history_shows_every_act_with_its_words(client: Client, given: Consent) -> None:
    client.post("/donor/pause/")
    client.post("/donor/withdraw/")
    page = text(client.get("/donor/history/"))
    order = ["You took back your consent", "You paused", "You gave your consent"]
    assert sorted(order, key=page.index) == order
    assert "any kind of research" in page


def test_empty_history_says_what_to_do(client: Client) -> None:
    assert "Nothing yet" in text(client.get("/donor/history/"))


def test_receipt_says_what_happens_now_only_while_it_stands(
    client: Client, given: Consent
) -> None:
    path = f"/donor/receipts/{EVENT}/"
    assert "What happens now" in text(client.get(path))
    client.post("/donor/withdraw/")
    page = text(client.get(path))
    assert "What happens now" not in page
    assert "You gave your consent" in page


def test_receipt_waits_for_its_place_by_asking_again(
    client: Client, given: Consent
) -> None:
    page = client.get(f"/donor/receipts/{EVENT}/").content.decode()
    assert "waits for its place" in page
    assert 'hx-trigger="every 2s"' in page


# --- files to keep -------------------------------------------------------------------


def settled(now: datetime) -> None:
    ledger.services.settle(now=now)


def test_each_act_offers_its_receipt_and_apart_from_it_what_opens_it(
    client: Client, given: Consent, now: datetime
) -> None:
    path = f"/donor/receipts/{EVENT}/"
    assert "Save my receipt" not in text(client.get(path))
    settled(now)
    page = text(client.get(path))
    assert "So you can show it to anyone. Save my receipt" in page
    assert page.index("Keep this one to yourself") < page.index("Save what opens it")
    assert reverse("ledger_receipt", args=[EVENT]) in client.get(path).content.decode()


def test_the_files_are_hers_and_no_other_donors(
    client: Client, given: Consent, now: datetime, signed_in: SignedIn
) -> None:
    settled(now)
    other = signed_in(factories.person(Role.DONOR))
    for name in ("ledger_receipt", "ledger_opening"):
        path = reverse(name, args=[EVENT])
        mine = client.get(path)
        assert mine.status_code == 200
        assert mine.headers["Content-Disposition"].startswith("attachment")
        assert "no-store" in mine.headers["Cache-Control"]
        theirs = other.get(path)
        never = other.get(reverse(name, args=[uuid.UUID(int=1)]))
        assert theirs.status_code == never.status_code == 404
        assert looks.alike(theirs.content, never.content)


def test_the_receipt_does_not_say_what_she_chose_and_the_opening_does(
    client: Client, given: Consent, now: datetime
) -> None:
    settled(now)
    shown = client.get(reverse("ledger_receipt", args=[EVENT])).content
    found = receipt.check(receipt.Receipt.parse(shown), ledger.selectors.policy())
    assert found.entry.type == "consent.given"
    assert b"APOE" not in shown + found.entry.commit
    kept = client.get(reverse("ledger_opening", args=[EVENT])).content
    assert b"APOE" in kept
    opening.check(opening.Opening.parse(kept), found.entry.commit)


def test_before_it_is_sealed_the_files_ask_to_come_again(
    client: Client, given: Consent
) -> None:
    for path in (
        reverse("ledger_receipt", args=[EVENT]),
        reverse("ledger_opening", args=[EVENT]),
        reverse("donor_record"),
    ):
        answer = client.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0


def test_her_whole_record_holds_every_act(
    client: Client, given: Consent, now: datetime
) -> None:
    client.post("/donor/pause/")
    client.post("/donor/withdraw/")
    settled(timezone.now())
    answer = client.get(reverse("donor_record"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    types = []
    for act in json.loads(answer.content)["acts"]:
        found = receipt.Receipt.parse(act["receipt"].encode())
        types.append(receipt.check(found, ledger.selectors.policy()).entry.type)
    assert types == ["consent.given", "consent.paused", "consent.withdrawn"]
    page = text(client.get("/donor/history/"))
    assert "gemmule verify donor-record" in page
    assert "can not show" in page


def test_a_donor_who_never_decided_has_an_empty_record(client: Client) -> None:
    answer = client.get(reverse("donor_record"))
    assert json.loads(answer.content)["acts"] == []
