"""The timeline of a donor's acts, and the receipt of each."""

import pytest
from django.test import Client

from consent.models import Consent
from tests.gemmule.web.donor.pages import EVENT, text

pytestmark = pytest.mark.django_db


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
