"""The newest part of the ledger, and how far its publication is behind."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ledger import recent, services
from ledger.models import Entry

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


def test_an_empty_ledger_has_nothing_recent() -> None:
    assert recent.last_leaves(size=0, count=3) == []
    assert recent.backlog() == recent.Backlog(
        pending=0, pending_since=None, unpublished=0, unpublished_since=None
    )


def test_the_last_leaves_are_those_below_a_size(record: Record) -> None:
    for _ in range(4):
        record()
    hashes = dict(Entry.objects.values_list("seq", "leaf_hash"))
    found = recent.last_leaves(size=4, count=3)
    assert [one.seq for one in found] == [1, 2, 3]
    assert [one.leaf_hash for one in found] == [bytes(hashes[n]) for n in (1, 2, 3)]
    assert [one.seq for one in recent.last_leaves(size=2, count=3)] == [0, 1]


def test_the_backlog_says_since_when_it_waits(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    later = now + timedelta(minutes=5)
    record(at=later)
    record(at=later + timedelta(minutes=1))
    assert recent.backlog() == recent.Backlog(
        pending=2, pending_since=later, unpublished=0, unpublished_since=None
    )
    placed = later + timedelta(minutes=2)
    services.sequence(now=placed)
    assert recent.backlog() == recent.Backlog(
        pending=0, pending_since=None, unpublished=2, unpublished_since=placed
    )
    services.publish(now=placed)
    assert recent.backlog().unpublished == 0
