"""A seal and a donor's act wait for each other; two acts at once count both ways.

On PostgreSQL, with real connections in threads.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction

import consent.selectors
import consent.services
from consent import locks
from consent.errors import StateRefused
from consent.models import Consent, Donor
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

Given = Callable[..., Consent]


def in_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connections.close_all()


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        )
        return bool(cursor.fetchone()[0])


def test_a_withdrawal_waits_for_a_seal_in_hand(
    given: Given, donor: Donor, now: datetime
) -> None:
    given()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locks.lock_shared([donor.pk, uuid4()])
            waiting = pool.submit(
                in_thread,
                lambda: consent.services.withdraw(donor=donor, event=uuid4(), now=now),
            )
            until(waits_for_a_lock, what="the other to wait for the lock")
            found = consent.selectors.current(donor)
            assert found is not None
            assert found.state == "active"
        assert waiting.result(timeout=30).act == "withdrawn"


def test_a_seal_waits_for_an_act_in_hand(
    given: Given, donor: Donor, now: datetime
) -> None:
    given()

    def seal() -> str:
        with transaction.atomic():
            locks.lock_shared([donor.pk])
            found = consent.selectors.current(donor)
            assert found is not None
            return found.state

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            consent.services.withdraw(donor=donor, event=uuid4(), now=now)
            waiting = pool.submit(in_thread, seal)
            until(waits_for_a_lock, what="the other to wait for the lock")
        assert waiting.result(timeout=30) == "withdrawn"


def test_two_seals_hold_the_same_donors_at_once(donor: Donor) -> None:
    held = threading.Barrier(2, timeout=30)
    others = [uuid4() for _ in range(5)]

    def seal(donor_ids: list[UUID]) -> bool:
        with transaction.atomic():
            locks.lock_shared(donor_ids)
            held.wait()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(in_thread, partial(seal, donor_ids))
            for donor_ids in ([donor.pk, *others], [*reversed(others), donor.pk])
        ]
        assert [one.result(timeout=30) for one in done] == [True, True]


def test_of_two_first_consents_at_once_one_is_given_and_one_refused(
    given: Given, donor: Donor, now: datetime
) -> None:
    start = threading.Barrier(2, timeout=30)

    def act() -> str:
        start.wait()
        try:
            given()
        except StateRefused:
            return "refused"
        return "given"

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(in_thread, act) for _ in range(2)]
        outcomes = sorted(one.result(timeout=60) for one in done)
    assert outcomes == ["given", "refused"]
    assert consent.selectors.history(donor).count() == 1


def test_one_event_sent_twice_at_once_is_one_act(
    given: Given, donor: Donor, now: datetime
) -> None:
    event = uuid4()
    start = threading.Barrier(2, timeout=30)

    def act() -> UUID:
        start.wait()
        return given(event=event).pk

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(in_thread, act) for _ in range(2)]
        assert len({one.result(timeout=60) for one in done}) == 1
    assert consent.selectors.history(donor).count() == 1


def test_a_seal_over_many_donors_takes_a_bounded_number_of_locks(db: None) -> None:
    with transaction.atomic():
        locks.lock_shared(uuid4() for _ in range(20_000))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone()[0] <= 1024


def test_a_lock_outside_a_transaction_is_a_mistake(donor: Donor) -> None:
    with pytest.raises(AssertionError, match="given back at once"):
        locks.lock_exclusive(donor.pk)
