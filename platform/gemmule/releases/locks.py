"""The lock between handing out a chunk and closing a release.

PostgreSQL: every chunk is read under the release's shared advisory lock, of its own or
of a window that many share (`turnstile`); whoever closes the release takes it
exclusive. The queue of advisory locks is fair, so that a withdrawal waits for at most
the chunks already in hand and 25 ms (FOR SHARE on the row let 32 readers starve it for
11 s). SQLite: writers are serialised by IMMEDIATE, and the gate reads the state again
after the chunk.
"""

from typing import LiteralString

from django.db import connection
from psycopg import sql

# First half of the two-part advisory key, so that rooms never collide.
_SPACE = 0x474D5245  # "GMRE"


def lock_shared(release_id: int) -> None:
    """Hold off the closing of a release until the end of the transaction."""
    _lock("pg_advisory_xact_lock_shared", release_id)


def lock_exclusive(release_id: int) -> None:
    """Wait for the chunks in hand and let no further one pass until the end."""
    _lock("pg_advisory_xact_lock", release_id)


def shared(release_id: int) -> sql.Composed:
    """Return the statement of `lock_shared`, for a connection of one's own."""
    return sql.SQL("SELECT pg_advisory_xact_lock_shared({}, {})").format(
        *_key(release_id)
    )


def release_after(idle_s: int) -> None:
    """Have PostgreSQL end this transaction once we leave it idle for so long.

    Its locks are free then, whatever we are waiting for, and its commit fails.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [f"{idle_s}s"],
        )


def _lock(function: LiteralString, release_id: int) -> None:
    if not connection.in_atomic_block:
        raise AssertionError("an advisory lock outside a transaction holds nothing")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s)", _key(release_id))


def _key(release_id: int) -> list[int]:
    return [_SPACE, release_id & 0x7FFFFFFF]
