"""The ledger's pages: open to everyone, and each entry is verified there and then."""

import re
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

import ledger.selectors
import ledger.services
from gemmule.accounts.models import User
from ledger.selectors import WitnessView
from tests.gemmule.web import looks

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


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


# --- the whole -----------------------------------------------------------------------


def test_an_empty_ledger_says_so(client: Client) -> None:
    text = page(client.get(reverse("ledger")))
    assert "No entry yet" in text
    assert "Last checkpoints" not in text
    assert 'class="edge"' not in text
    assert ledger.selectors.verifier_key() in text


def test_its_head_and_the_notarys_key_are_shown(client: Client, now: datetime) -> None:
    append(now)
    ledger.services.settle(now=now)
    append(now)
    text = page(client.get(reverse("ledger")))
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None
    assert f"<dt>entries under the last checkpoint</dt><dd>{latest.size}</dd>" in text
    assert latest.note.splitlines()[2] in text
    assert ledger.selectors.verifier_key() in text


def test_the_last_checkpoints_are_listed_newest_first(
    client: Client, now: datetime
) -> None:
    for minutes in range(7):
        append(now)
        ledger.services.settle(now=now + timedelta(minutes=minutes))
    text = page(client.get(reverse("ledger")))
    listed = re.findall(r'<th scope="row">(\d+) entries</th>', text)
    assert listed == ["8", "7", "6", "5", "4"]


def test_the_picture_is_that_of_the_signed_tree(client: Client, now: datetime) -> None:
    for _ in range(4):
        append(now)
    ledger.services.settle(now=now)
    append(now)
    ledger.services.sequence(now=now)  # A place, but no signature: not in the picture.
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None and latest.size == 5
    text = page(client.get(reverse("ledger")))
    assert "the last 3 of 5 entries" in text
    assert f"root {latest.root.hex()[:4]}…{latest.root.hex()[-4:]}" in text


def test_without_an_outside_witness_it_says_what_that_means(
    client: Client, now: datetime
) -> None:
    append(now)
    ledger.services.settle(now=now)
    text = page(client.get(reverse("ledger")))
    assert "No outside witness yet" in text
    assert "cannot yet convict whoever holds both" in text


def test_witnesses_are_shown_with_how_fresh_they_are(
    client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(now)
    ledger.services.settle(now=now)

    def witness(name: str, size: int, failed: bool = False) -> WitnessView:
        return WitnessView(
            name="w",
            key_text=f"{name}+00000000+AAAA",
            url="http://witness.example/",
            size=size,
            cosigned_at=now if size else None,
            failed_at=now if failed else None,
            failure="connection refused" if failed else "",
        )

    views = [
        witness("fresh.example", 2),
        witness("late.example", 1),
        witness("new.example", 0),
        witness("down.example", 2, failed=True),
        witness("dead.example", 0, failed=True),
    ]
    monkeypatch.setattr("ledger.selectors.witnesses", lambda: views)
    text = page(client.get(reverse("ledger")))
    assert "No outside witness yet" not in text
    for name, says in (
        ("fresh.example", "Up to date"),
        ("late.example", "1 entry behind"),
        ("new.example", "Has not signed yet"),
        ("down.example", "Did not sign when last asked"),
        ("dead.example", "Connection refused"),
    ):
        row = text.partition(f'<th scope="row">{name}</th>')[2].partition("</tr>")[0]
        assert says in row, name


def test_how_to_watch_it_is_told_to_everyone(client: Client) -> None:
    text = page(client.get(reverse("ledger_join")))
    assert ledger.selectors.verifier_key() in text
    assert "http://testserver/ledger" in text


def test_only_those_who_audit_are_led_to_its_health(
    client: Client, signed_in: SignedIn, aud: User, ira: User, rosa: User
) -> None:
    link = f'href="{reverse("audit_ledger")}"'
    assert link not in page(client.get(reverse("ledger")))
    assert link not in page(signed_in(rosa).get(reverse("ledger")))
    for person in (aud, ira):
        assert link in page(signed_in(person).get(reverse("ledger")))


# --- one entry -----------------------------------------------------------------------


def test_an_entry_waits_and_is_then_verified_at_once(
    client: Client, now: datetime
) -> None:
    event = append(now)
    assert "Not sealed yet" in page(client.get(entry(event)))
    ledger.services.settle(now=now)
    text = page(client.get(entry(event)))
    assert "Verified just now" in text
    assert "the root of 2 entries, in 1 step<" in text
    assert "no outside witness yet" in text
    assert "GMD7K2Q9XA" in text
    found = ledger.selectors.entry(event)
    assert found.leaf_hash is not None
    assert found.leaf_hash.hex() in text
    assert "nobody reads this" not in text


def test_a_seal_is_answered_in_its_place(client: Client, now: datetime) -> None:
    event = append(now)
    ledger.services.settle(now=now)
    answer = client.get(entry(event), headers={"HX-Request": "true"})
    text = page(answer)
    assert "Verified just now" in text
    assert "<html" not in text
    assert "<h1" not in text
    # A cache must not give the part to who asks for the page.
    assert "HX-Request" in answer.headers["Vary"]


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


def test_a_log_with_a_hole_is_told_of_and_breaks_no_page(
    client: Client, now: datetime, tmp_path: Path, settings: Settings
) -> None:
    settings.LEDGER_PUBLIC_DIR = tmp_path
    events = [append(now) for _ in range(3)]
    ledger.services.settle(now=now)
    shutil.rmtree(tmp_path / "tile")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM ledger_entry WHERE event = %s", [events[1]])
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    text = page(client.get(entry(events[2])))
    assert "This entry does not verify" in text
    assert 'class="edge"' not in page(client.get(reverse("ledger")))


def test_what_never_was_is_not_there(client: Client) -> None:
    first, second = client.get(entry(uuid.uuid4())), client.get("/ledger/entries/x/")
    assert first.status_code == second.status_code == 404
    assert looks.alike(first.content, second.content)
