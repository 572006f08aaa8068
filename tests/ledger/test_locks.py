"""One at a time, and whoever goes away gives the lock back."""

import uuid

import pytest
from django.conf import settings
from django.db import connection

from ledger import durable, locks

pytestmark = pytest.mark.usefixtures("database")


def test_the_turn_to_publish_is_one_at_a_time_and_given_back(
    database: str,
) -> None:
    def holders() -> int:
        if database == "sqlite":
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                "AND classid = %s AND objid = 2",
                [int.from_bytes(b"ldgr")],
            )
            return int(cursor.fetchone()[0])

    with locks.turn_to_publish():
        assert holders() == (database == "postgresql")
        lock_file = settings.DATA_DIR / "ledger" / "publish.lock"
        with pytest.raises(BlockingIOError), durable.held(lock_file):
            pass
    assert holders() == 0

    def fail() -> None:
        with locks.turn_to_publish():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert holders() == 0


def test_a_session_that_ends_gives_the_turn_back(database: str) -> None:
    def lose() -> None:
        with locks.turn_to_publish():
            connection.close()

    lose()
    with locks.turn_to_publish():
        pass


def test_locks_need_a_transaction() -> None:
    with pytest.raises(AssertionError, match="given back at once"):
        locks.lock_head()
    with pytest.raises(AssertionError):
        locks.lock_subject(uuid.uuid4())
