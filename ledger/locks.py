"""Take the locks that put concurrent writers of the ledger in a row.

PostgreSQL: advisory locks, held to the end of the transaction. SQLite: BEGIN
IMMEDIATE has already let in one writer only (`checks` requires it).
"""

from uuid import UUID

from django.db import connection

# The first half of the key keeps these apart from the locks of other rooms.
_LEDGER = int.from_bytes(b"ldgr")
_SUBJECT = int.from_bytes(b"lsub")
_HEAD = 1
_PUBLISHING = 2


def lock_head() -> None:
    """Be the only sequencer. Taken before the head is read, never after."""
    _take(_LEDGER, _HEAD)


def lock_publishing() -> None:
    """Be the only publisher, also among several machines."""
    _take(_LEDGER, _PUBLISHING)


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
