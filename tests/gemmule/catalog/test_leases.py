"""A lease is renewed while the work goes on, and its loss is told."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from gemmule.catalog import leases

LEASE = timedelta(milliseconds=40)
_PATIENCE_S = 30


class Lost(Exception):
    """What the holder hears."""


def test_lease_is_renewed_until_the_work_is_done() -> None:
    renewed = threading.Semaphore(0)

    def renew() -> bool:
        renewed.release()
        return True

    with leases.kept(renew, lease=LEASE, lost=Lost) as check:
        for _ in range(3):
            assert renewed.acquire(timeout=_PATIENCE_S)
        check()
    assert "lease" not in {thread.name for thread in threading.enumerate()}


def test_lost_lease_is_told_and_renewed_no_more() -> None:
    tries: list[int] = []

    def renew() -> bool:
        tries.append(1)
        return False

    with leases.kept(renew, lease=LEASE, lost=Lost) as check:
        (thread,) = (one for one in threading.enumerate() if one.name == "lease")
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()
        with pytest.raises(Lost):
            check()
    assert len(tries) == 1


def test_database_that_is_away_for_a_moment_costs_no_lease(
    caplog: pytest.LogCaptureFixture,
) -> None:
    renewed = threading.Event()
    answers = iter([OperationalError("the server is starting up")])

    def renew() -> bool:
        for error in answers:
            raise error
        renewed.set()
        return True

    with leases.kept(renew, lease=LEASE, lost=Lost) as check:
        assert renewed.wait(_PATIENCE_S)
        check()
    assert "trying again" in caplog.text


def test_work_that_fails_ends_the_renewals() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        leases.kept(lambda: True, lease=LEASE, lost=Lost),
    ):
        raise ZeroDivisionError
    assert "lease" not in {thread.name for thread in threading.enumerate()}
