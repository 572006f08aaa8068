"""What a real ledger hands out is checked by the command that knows no site."""

import json
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from gemmule import cli
from ledger import inclusion, keys, services, vault
from ledger.models import Body
from ledger.tlog.policy import Policy

pytestmark = pytest.mark.django_db(transaction=True, available_apps=["ledger"])


@pytest.fixture
def subject(now: datetime) -> uuid.UUID:
    """Return a subject with four acts, among those of others."""
    found, other = services.new_subjects(count=2, now=now)
    kinds = ("consent.given", "consent.changed", "consent.paused", "consent.resumed")
    for number, kind in enumerate(kinds):
        for each in (found, other):
            with transaction.atomic():
                services.append(
                    type=kind,
                    pub={},
                    body={"terms": {"permission": "GRU", "number": number}},
                    event=uuid.uuid4(),
                    now=now,
                    subject=each,
                )
    return found


@pytest.fixture
def policy(tmp_path: Path, subject: uuid.UUID) -> str:
    path = tmp_path / "policy"
    path.write_text(Policy.single(keys.log_key().verifier).text)
    return str(path)


def events_of(subject: uuid.UUID) -> list[uuid.UUID]:
    rows = Body.objects.filter(key_id=subject).order_by("subject_seq")
    return list(rows.values_list("event", flat=True))


def act(event: uuid.UUID) -> dict[str, object]:
    opening = inclusion.opening(event)
    return {
        "receipt": inclusion.receipt(event).decode(),
        "opening": None if opening is None else json.loads(opening.encode()),
    }


def record(folder: Path, events: list[uuid.UUID]) -> str:
    path = folder / "record.json"
    value = {
        "v": 1,
        "kind": "gemmule/donor-record",
        "origin": settings.LEDGER_ORIGIN,
        "made_at": "2026-11-22T15:43:34.123Z",
        "acts": [act(each) for each in events],
    }
    path.write_text(json.dumps(value))
    return str(path)


def test_a_receipt_and_its_opening(
    subject: uuid.UUID,
    policy: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    event = events_of(subject)[1]
    receipt, opening = tmp_path / "act.tlog-proof", tmp_path / "act.json"
    receipt.write_bytes(inclusion.receipt(event))
    found = inclusion.opening(event)
    assert found is not None
    opening.write_bytes(found.encode())
    arguments = ["verify", "receipt", str(receipt), "--policy", policy]
    assert cli.main([*arguments, "--opening", str(opening)]) == 0
    assert "    permission: GRU\n" in capsys.readouterr().out


def test_a_donor_sees_that_none_of_her_acts_is_missing(
    subject: uuid.UUID,
    policy: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = events_of(subject)
    arguments = ["verify", "donor-record", record(tmp_path, events), "--policy", policy]
    assert cli.main(arguments) == 0
    assert "None is missing from act 1 to act 4" in capsys.readouterr().out
    record(tmp_path, [events[0], *events[2:]])
    assert cli.main(arguments) == 1
    assert "This record is not complete: 1 act(s)" in capsys.readouterr().err


def test_an_erased_donor_has_a_record_that_says_so(
    subject: uuid.UUID,
    policy: str,
    tmp_path: Path,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = events_of(subject)
    vault.destroy(subject, now=now)
    arguments = ["verify", "donor-record", record(tmp_path, events), "--policy", policy]
    assert cli.main(arguments) == 0
    assert "What the acts said was erased" in capsys.readouterr().out


def test_the_files_that_a_site_publishes(
    subject: uuid.UUID, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(settings.LEDGER_PUBLIC_DIR)
    assert cli.main(["verify", "ledger", place, "--policy", policy]) == 0
    out = capsys.readouterr().out
    assert "Every entry was read" in out
    assert "The policy is the one that the log announced last." in out
