"""Take donors' locks: shared by who relies on consents, exclusive by who changes one.

PostgreSQL: advisory locks to the end of the transaction, in the order of donor ids,
so that no two transactions wait for each other. SQLite: BEGIN IMMEDIATE has already
let in one writer only.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

# The first half of the key keeps these apart from the locks of other rooms.
_DONOR = int.from_bytes(b"cdon")


def lock_shared(donor_ids: Iterable[UUID]) -> None:
    """Keep these donors' consents as they are until the transaction ends; one query."""
    _take("pg_advisory_xact_lock_shared", donor_ids)


def lock_exclusive(donor_id: UUID) -> None:
    """Wait for whoever relies on the donor's consent; until the transaction ends."""
    _take("pg_advisory_xact_lock", [donor_id])


def _take(function: str, donor_ids: Iterable[UUID]) -> None:
    assert connection.in_atomic_block, "the lock would be given back at once"
    if connection.vendor != "postgresql":
        return
    # 32 bits of the id: two donors that share them wait for each other, no more.
    keys = sorted(int.from_bytes(each.bytes[:4], signed=True) for each in donor_ids)
    with connection.cursor() as cursor:
        # The subquery fixes the order in which the locks are taken.
        cursor.execute(
            f"SELECT {function}(%s, key) FROM unnest(%s::int[]) AS key",  # noqa: S608
            [_DONOR, keys],
        )
