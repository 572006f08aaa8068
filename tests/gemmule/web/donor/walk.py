"""Walk through the consent pages as a donor does, form by form."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from consent.models import Consent
from gemmule.demo.cast import PASSWORD

ANSWERS: dict[str, Any] = {
    "research": "diseases",
    "diseases": ["MONDO:0007254"],
    "companies": "no",
    "conditions": ["publish", "no-methods"],
    "place": "countries",
    "countries": ["SE", "NO"],
    "time": "five-years",
    "keep-back": "some",
    "presets": ["brca"],
    "genes": "apoe, c9ORF72",
    "instead": "missing",
    "discovery": "yes",
}
SIMPLE = {
    "research": "health",
    "companies": "no",
    "conditions": [],
    "place": "anywhere",
    "time": "open",
    "keep-back": "nothing",
    "discovery": "no",
}
RIGHT = {"stop-later": "yes", "recall": "asked", "name": "could"}
REVIEW = "/donor/consent/review/"
_HIDDEN = re.compile(r'type="hidden" name="(event|statement_sha256)" value="([^"]+)"')


def page_of(name: str) -> str:
    return reverse("donor_consent_question", args=[name])


def begin(client: Client) -> str:
    """Read, pass the check, and return where it leads."""
    there = client.post(reverse("donor_consent"))
    if there.headers["Location"] != reverse("donor_consent_check"):
        return there.headers["Location"]
    return client.post(there.headers["Location"], RIGHT).headers["Location"]


def answer(client: Client, answers: dict[str, Any]) -> list[str]:
    """Answer page after page as each leads on; return the questions that came."""
    at, came = begin(client), []
    while at != REVIEW:
        name = at.strip("/").rpartition("/")[2]
        came.append(name)
        assert len(came) < 20, came
        reply = client.post(at, {name: answers.get(name, [])})
        assert reply.status_code == 302, reply.content.decode()
        at = reply.headers["Location"]
    return came


def hidden(client: Client) -> dict[str, str]:
    """Return what the review page would send."""
    return dict(_HIDDEN.findall(client.get(REVIEW).content.decode()))


def sign(client: Client, password: str = PASSWORD, **changed: str) -> Any:
    return client.post(REVIEW, {**hidden(client), "password": password, **changed})


def give(client: Client, answers: dict[str, Any]) -> Consent:
    answer(client, answers)
    reply = sign(client)
    event = reply.headers["Location"].strip("/").rpartition("/")[2]
    return Consent.objects.get(event=event)
