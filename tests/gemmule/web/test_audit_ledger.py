"""The health of the ledger: what waits, who signs, and what the last replay found."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

import ledger.selectors
import ledger.services
import ledger.verifications
from gemmule.accounts.models import Role, User
from gemmule.audit import services, tasks
from ledger.models import Verification
from tests import factories

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


@pytest.fixture(params=["aud", "ira", "ingrid"])
def client(request: pytest.FixtureRequest, signed_in: SignedIn) -> Client:
    return signed_in(request.getfixturevalue(request.param))


def append(now: datetime) -> None:
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": "GMD7K2Q9XA"},
            body={},
            event=uuid.uuid4(),
            now=now,
        )


def page(client: Client) -> str:
    answer: Any = client.get(reverse("audit_ledger"))
    assert answer.status_code == 200, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def test_an_empty_ledger_has_a_health_too(client: Client) -> None:
    text = page(client)
    assert "Not replayed yet" in text
    assert "None yet" in text


def test_what_waits_is_counted_with_its_age(client: Client, now: datetime) -> None:
    append(now)
    ledger.services.settle(now=now)
    assert page(client).count(">Nothing<") == 2
    append(timezone.now() - timedelta(hours=3))
    text = page(client)
    assert "1 entry" in text
    assert "accepted 3 hours ago" in text
    ledger.services.sequence(now=timezone.now() - timedelta(hours=2))
    text = page(client)
    assert "written 2 hours ago" in text
    assert text.count(">Nothing<") == 1


def test_a_replay_is_asked_for_done_by_a_worker_and_shown(
    client: Client,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append(now)
    ledger.services.settle(now=now)
    sent: list[object] = []
    monkeypatch.setattr(services, "nudge", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("audit_ledger_verify"))
    assert answer.headers["Location"] == reverse("audit_ledger")
    assert sent == [tasks.verify_ledger]
    text = page(client)
    assert "A replay is on its way" in text
    assert 'hx-trigger="every 2s"' in text
    tasks.verify_ledger()
    text = page(client)
    assert "Everything held" in text
    assert f"all {ledger.selectors.tree_size()} entries" in text
    assert "hx-trigger" not in text


def test_published_files_that_do_not_fit_are_found(
    client: Client, now: datetime, tmp_path: Path, settings: Settings
) -> None:
    settings.LEDGER_PUBLIC_DIR = tmp_path
    append(now)
    ledger.services.settle(now=now)
    assert "They give the last root" in page(client)
    (leaves,) = tmp_path.glob("tile/0/000.p/*")
    damaged = bytearray(leaves.read_bytes())
    damaged[0] ^= 1
    leaves.write_bytes(damaged)
    assert "They do not fit" in page(client)
    leaves.unlink()
    text = page(client)
    assert "They do not fit" in text
    (tmp_path / "checkpoint").unlink()
    assert "not the last one" in page(client)


def test_files_that_were_published_meanwhile_fit(
    client: Client,
    now: datetime,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.LEDGER_PUBLIC_DIR = tmp_path
    append(now)
    ledger.services.settle(now=now)
    before = ledger.selectors.latest_checkpoint()
    append(now)
    ledger.services.settle(now=now)
    newer = (tmp_path / "checkpoint").read_bytes()
    # As the page is when it asked for the last one a moment too early.
    monkeypatch.setattr(ledger.selectors, "latest_checkpoint", lambda: before)
    assert "They give the last root" in page(client)
    unsigned = newer[: newer.index("\u2014".encode())]
    (tmp_path / "checkpoint").write_bytes(unsigned)
    assert "not the last one" in page(client)


def test_what_does_not_hold_is_said_in_words(client: Client, now: datetime) -> None:
    Verification.objects.create(
        requested_at=now,
        started_at=now,
        finished_at=now,
        entries=7,
        findings=[{"code": "chain", "message": "entry 7: <does> not follow"}],
    )
    text = page(client)
    assert "Something did not hold" in text
    assert "entry 7: &lt;does&gt; not follow" in text
    assert "Everything held" not in text


def test_the_worker_replays_unasked_once_a_day(now: datetime) -> None:
    tasks.verify_ledger()
    tasks.verify_ledger()
    assert Verification.objects.count() == 1
    Verification.objects.update(requested_at=timezone.now() - timedelta(days=2))
    tasks.verify_ledger()
    assert Verification.objects.filter(finished_at__isnull=False).count() == 2


@pytest.mark.parametrize(
    "role", [Role.DONOR, Role.RESEARCHER, Role.STEWARD, Role.ADMINISTRATOR]
)
def test_others_neither_see_it_nor_ask_for_a_replay(
    role: Role, signed_in: SignedIn
) -> None:
    client = signed_in(factories.person(role))
    assert client.get(reverse("audit_ledger")).status_code == 403
    assert client.post(reverse("audit_ledger_verify")).status_code == 403
    assert not Verification.objects.exists()
