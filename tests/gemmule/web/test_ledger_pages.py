"""The ledger's pages: open to everyone, and each entry is verified there and then."""

import re
import uuid
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

import ledger.selectors
import ledger.services
from tests.gemmule.web import looks

pytestmark = pytest.mark.django_db


def append(now: datetime) -> uuid.UUID:
    event = uuid.uuid4()
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": "GMD7K2Q9XA"},
            body={"secret": "nobody reads this"},
            event=event,
            now=now,
        )
    return event


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def entry(event: uuid.UUID) -> str:
    return reverse("ledger_entry", args=[event])


def test_an_empty_ledger_says_so(client: Client) -> None:
    text = page(client.get(reverse("ledger")))
    assert "Last checkpoint" not in text
    assert ledger.selectors.verifier_key() in text
    assert client.get(reverse("ledger_checkpoint")).status_code == 404


def test_its_head_and_the_notarys_key_are_shown(client: Client, now: datetime) -> None:
    append(now)
    ledger.services.settle(now=now)
    append(now)
    text = page(client.get(reverse("ledger")))
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None
    assert f"<dt>entries</dt><dd>{latest.size}</dd>" in text
    assert "<dt>waiting for a place</dt><dd>1</dd>" in text
    assert latest.note.splitlines()[2] in text


def test_the_checkpoint_is_served_as_the_signed_note(
    client: Client, now: datetime
) -> None:
    append(now)
    ledger.services.settle(now=now)
    answer = client.get(reverse("ledger_checkpoint"))
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == latest.note


def test_an_entry_waits_and_is_then_verified_at_once(
    client: Client, now: datetime
) -> None:
    event = append(now)
    assert "Not sealed yet" in page(client.get(entry(event)))
    ledger.services.settle(now=now)
    text = page(client.get(entry(event)))
    assert "Verified just now" in text
    assert "GMD7K2Q9XA" in text
    found = ledger.selectors.entry(event)
    assert found.leaf_hash is not None
    assert found.leaf_hash.hex() in text
    assert "nobody reads this" not in text


def test_an_entry_whose_bytes_were_changed_does_not_verify(
    client: Client, now: datetime
) -> None:
    event = append(now)
    append(now)
    ledger.services.settle(now=now)
    with connection.cursor() as cursor:
        # The table refuses changes, so this is what a database's owner could do.
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE ledger_entry SET data = decode(replace(encode(data, 'escape'), "
            "'GMD7K2Q9XA', 'GMD0000000'), 'escape') WHERE event = %s",
            [event],
        )
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    text = page(client.get(entry(event)))
    assert "GMD0000000" in text
    assert "This entry does not verify" in text
    assert "Verified just now" not in text


def test_what_never_was_is_not_there(client: Client) -> None:
    first, second = client.get(entry(uuid.uuid4())), client.get("/ledger/entries/x/")
    assert first.status_code == second.status_code == 404
    assert looks.alike(first.content, second.content)
