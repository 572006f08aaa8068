"""Take the locks that put concurrent writers of the ledger in a row.

PostgreSQL: advisory locks, held to the end of the transaction. SQLite: BEGIN
IMMEDIATE has already let in one writer only (`checks` requires it). The turn to
publish is held without a transaction, as others are asked over the network in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from ledger import durable

# The first half of the key keeps these apart from the locks of other rooms.
_LEDGER = int.from_bytes(b"ldgr")
_SUBJECT = int.from_bytes(b"lsub")
_HEAD = 1
_PUBLISHING = 2


def lock_head() -> None:
    """Be the only sequencer. Taken before the head is read, never after."""
    _take(_LEDGER, _HEAD)


@contextmanager
def turn_to_publish() -> Iterator[None]:
    """Be the only publisher, and the only one who changes what signs.

    A file locks out the other processes of this machine, and a lock of the database
    session those of other machines. Whoever dies gives both back. Should the session
    end early, two publish beside each other: notary and witnesses keep that in order,
    as they do where somebody has copied the site.
    """
    lock_file = Path(settings.DATA_DIR) / "ledger" / "publish.lock"
    with durable.locked(lock_file):
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [_LEDGER, _PUBLISHING])
        try:
            yield
        finally:
            _give_back()


def lock_subject(subject: UUID) -> None:
    """Be the only one who counts the next event of this subject.

    32 bits of the id: two subjects that share them wait for each other, no more.
    """
    _take(_SUBJECT, int.from_bytes(subject.bytes[:4], signed=True))


def _take(first: int, second: int) -> None:
    assert connection.in_atomic_block, "the lock would be given back at once"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [first, second])


def _give_back() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LEDGER, _PUBLISHING])
    except DatabaseError:
        connection.close()  # Which gives it back as well.
