"""A replay that was asked for is done once, however often it dies on the way."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial

import pytest

from ledger import inspection, verifications
from ledger.models import Checkpoint, Verification

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def test_nothing_is_done_unasked(now: datetime) -> None:
    assert not verifications.run(clock=lambda: now)
    assert verifications.last() is None
    assert verifications.awaited() is None


def test_a_sound_ledger_is_said_to_be(record: Record, now: datetime) -> None:
    record()
    verifications.request(now=now)
    awaited = verifications.awaited()
    assert awaited is not None and not awaited.is_sound
    assert verifications.run(clock=lambda: now)
    assert verifications.awaited() is None
    last = verifications.last()
    assert last is not None and last.is_sound
    assert (last.entries, last.published, last.finished_at) == (2, 2, now)


def test_asking_twice_is_asking_once(now: datetime) -> None:
    verifications.request(now=now)
    verifications.request(now=now + timedelta(seconds=1))
    assert Verification.objects.count() == 1
    assert verifications.run(clock=lambda: now)
    assert not verifications.run(clock=lambda: now)


def test_what_was_found_is_kept_in_words(
    record: Record, now: datetime, unguarded: Unguarded
) -> None:
    record()
    with unguarded():
        Checkpoint.objects.update(root=bytes(32))
    verifications.request(now=now)
    verifications.run(clock=lambda: now)
    last = verifications.last()
    assert last is not None and not last.is_sound
    assert "checkpoint" in {one.code for one in last.findings}
    assert any("say something else" in one.message for one in last.findings)


def test_ruins_are_not_kept_in_full(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = inspection.Report()
    for number in range(1000):
        report.add("body", f"entry {number}: its body was deleted")
    monkeypatch.setattr(inspection, "inspect", lambda: report)
    verifications.request(now=now)
    verifications.run(clock=lambda: now)
    last = verifications.last()
    assert last is not None
    assert len(last.findings) == 50


def test_one_that_died_is_done_again_but_not_beside_it(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> inspection.Report:
        raise RuntimeError("killed")

    verifications.request(now=now)
    with monkeypatch.context() as patch:
        patch.setattr(inspection, "inspect", die)
        with pytest.raises(RuntimeError, match="killed"):
            verifications.run(clock=lambda: now)
    # Another worker may still be at it.
    assert not verifications.run(clock=lambda: now + timedelta(minutes=59))
    assert verifications.run(clock=lambda: now + timedelta(minutes=61))
    assert verifications.last() is not None


def test_it_is_due_once_a_day(now: datetime) -> None:
    for hours, count in ((0, 1), (23, 1), (24, 2), (30, 2)):
        moment = now + timedelta(hours=hours)
        verifications.request_if_due(now=moment)
        verifications.run(clock=partial(_same, moment))
        assert Verification.objects.count() == count


def _same(moment: datetime) -> datetime:
    return moment
