"""Hold donors' consents still while a release is sealed, or while one of them acts.

PostgreSQL: advisory locks to the end of the transaction, shared for a seal and
exclusive for a donor's act; their queue is fair, so that many seals cannot starve a
withdrawal. Donors fall into 1,024 buckets: a seal over 100,000 donors takes no more
locks than that (the server's table has room for some 6,400), and a donor waits at
times for the seal of another. SQLite: BEGIN IMMEDIATE lets one writer in at a time.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

# First half of the two-part advisory key, so that rooms never collide.
_SPACE = int.from_bytes(b"dnor")
_BUCKETS = 1024


def lock_shared(donor_ids: Iterable[UUID]) -> None:
    """Let no act of these donors take effect until the end of the transaction."""
    # One order for everybody, else two seals could wait for each other's donors.
    _take("pg_advisory_xact_lock_shared", sorted({_bucket(one) for one in donor_ids}))


def lock_exclusive(donor_id: UUID) -> None:
    """Wait for seals over this donor, and let none begin until the end."""
    _take("pg_advisory_xact_lock", [_bucket(donor_id)])


def lock_forms() -> None:
    """Be the only one who publishes a form until the end of the transaction."""
    # The number after the last bucket.
    _take("pg_advisory_xact_lock", [_BUCKETS])


def _bucket(donor_id: UUID) -> int:
    return donor_id.int % _BUCKETS


def _take(function: str, buckets: list[int]) -> None:
    assert connection.in_atomic_block, "the lock would be given back at once"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # ORDER BY in the subquery: locks are taken in the order of its rows.
            cursor.execute(
                f"SELECT {function}(%s, bucket) FROM "  # noqa: S608 - our own two
                "(SELECT unnest(%s::int[]) AS bucket ORDER BY 1) AS wanted",
                [_SPACE, buckets],
            )
