"""The log read through: what each event said, for rooms that hold rows against it."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from ledger import models, opened, services, vault

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


def walk(*prefixes: str) -> list[opened.Opened]:
    return [each for some in opened.walk(*prefixes) for each in some]


def test_events_come_in_the_order_of_the_log_with_their_bodies(
    events: list[uuid.UUID], ada: uuid.UUID
) -> None:
    found = walk("consent.")
    assert [each.event for each in found] == [events[0], events[2], events[4]]
    assert [each.seq for each in found] == [1, 3, 5]
    assert [each.body and each.body["terms"] for each in found] == [0, 1, 2]
    assert {each.subject for each in found} == {ada}
    assert [each.type for each in walk("consent.given", "role.")] == [
        "consent.given",
        *["role.granted"] * 3,
    ]


def test_events_without_a_subject_have_none(events: list[uuid.UUID]) -> None:
    assert [each.subject for each in walk("role.")] == [None] * 3
    assert [each.body for each in walk("role.")] == [
        {"grant": number} for number in range(3)
    ]


def test_what_is_pending_comes_last_and_once(
    events: list[uuid.UUID],
    record: Record,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    late = record(body={"grant": 3})
    last = walk("role.")[-1]
    assert (last.event, last.seq, last.body) == (late, None, {"grant": 3})
    assert last.where == f"event {late}"
    services.sequence(now=now)
    last = walk("role.")[-1]
    assert (last.event, last.seq, last.where) == (late, 7, "entry 7")


def test_more_than_one_chunk_is_read_to_the_end(
    events: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "_AT_ONCE", 2)
    assert [each.seq for each in walk("consent.")] == [1, 3, 5]
    assert opened.unknown([*events, None]) == set(events)
    assert opened.unknown(events, "consent.", "role.") == set()


def test_an_erased_event_has_no_body(
    events: list[uuid.UUID], ada: uuid.UUID, now: datetime
) -> None:
    vault.destroy(ada, now=now)
    assert [each.body for each in walk("consent.")] == [None] * 3
    assert [each.body for each in walk("role.")] != [None] * 3


def test_what_does_not_open_leaves_the_others_in_peace(
    events: list[uuid.UUID], ada: uuid.UUID, unguarded: Unguarded
) -> None:
    models.VaultKey.objects.filter(id=ada).update(wrapped=bytes(60))
    with unguarded():
        models.Body.objects.filter(event=events[1]).update(sealed=bytes(40))
        models.Entry.objects.filter(seq=4).update(data=b'{"type":"role.granted"}')
    assert [each.body for each in walk("consent.", "role.")] == [
        *[None] * 4,
        {"grant": 2},
    ]


def test_an_event_is_known_under_its_own_type_alone(events: list[uuid.UUID]) -> None:
    assert opened.unknown(events, "role.") == {events[0], events[2], events[4]}
    stranger = uuid.uuid4()
    assert opened.unknown([stranger, events[1]], "role.") == {stranger}


def test_a_pending_event_is_known(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    event = record()
    assert opened.unknown([event], "role.") == set()
    assert opened.unknown([event], "consent.") == {event}


def test_an_empty_ledger_says_nothing() -> None:
    assert walk("consent.") == []
