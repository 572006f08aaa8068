"""What an operator types: verify the ledger, and settle what is pending."""

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ledger import keys, models, services
from ledger.management.commands import verify_ledger

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_the_command_says_that_all_holds(events: list[uuid.UUID]) -> None:
    out = StringIO()
    call_command(verify_ledger.Command(), stdout=out)
    assert "the ledger holds: 7 entries, 7 of them under a signed" in out.getvalue()


def test_the_command_fails_and_says_what_is_wrong(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    out = StringIO()
    with pytest.raises(CommandError, match=r"does not hold: \d+ finding") as failed:
        call_command(verify_ledger.Command(), stdout=out)
    assert failed.value.returncode == 1
    assert "chain: entry 3 was expected, entry 4 came" in out.getvalue()


def test_the_command_speaks_json(events: list[uuid.UUID], unguarded: Unguarded) -> None:
    out = StringIO()
    call_command(verify_ledger.Command(), "--json", stdout=out)
    sound = json.loads(out.getvalue())
    assert (sound["sound"], sound["entries"], sound["findings"]) == (True, 7, [])
    with unguarded():
        models.Body.objects.filter(event=events[1]).delete()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command(verify_ledger.Command(), "--json", stdout=out)
    (finding,) = json.loads(out.getvalue())["findings"]
    assert finding == {
        "code": "body",
        "message": "entry 2: its body was deleted",
        "seq": 2,
        "event": str(events[1]),
    }


def test_sequence_ledger_settles_what_a_crash_left(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = StringIO()
    call_command("sequence_ledger", stdout=out)
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        record()
    call_command("sequence_ledger", stdout=out)
    assert out.getvalue().splitlines() == [
        "the ledger has no entries yet",
        "2 entries are under a signed checkpoint",
    ]


def test_sequence_ledger_says_why_nothing_is_signed(
    events: list[uuid.UUID], record: Record
) -> None:
    keys.notary_state_file().unlink()
    record()
    with pytest.raises(CommandError, match="nothing is signed"):
        call_command("sequence_ledger")
