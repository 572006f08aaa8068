"""Let chunks of one release pass the gate together, in one transaction of PostgreSQL.

Fifty downloads of a release ask the same question at the same time. Whoever comes first
waits for the others for a moment, takes the release's shared lock, asks for all, reads
for all and commits: then each has its chunk. It is the transaction of `gate`, shared;
nobody joins it who was not there before the question was put. One reader alone waits
for nobody.

Only a "yes" is found out here. Whatever is not one is left to `gate`, which asks again
on its own and has the words.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import psycopg
import psycopg_pool
from django.db import connection

from gemmule.releases import locks

# Longer than a chunk takes on its way to the next when many read; too short to notice.
_LINGER_S = 0.003
# A closing waits for one transaction: so long it reads, and the rest takes turns again.
_READS_WITHIN_S = 0.050
# Where reading is slow one does not wait for the other.
_IS_SLOW_S = 0.020
_AT_ONCE = 4
_TOGETHER = 16
# How long to wait for a connection before `gate` asks for one of its own.
_CONNECTION_S = 5.0

# The words of `gate.check_open`, as one question about all who wait.
_WHO_MAY = """
SELECT member.user_id
FROM releases_release release
JOIN access_accessrequest request ON request.id = release.request_id
JOIN accounts_researcherkey key ON key.id = release.key_id
JOIN access_projectmember member ON member.project_id = request.project_id
JOIN accounts_user person ON person.id = member.user_id
WHERE release.id = %s AND release.state IN ('sealed', 'available')
AND release.expires_on >= %s AND request.state = 'approved' AND key.state = 'active'
AND member.user_id = ANY(%s) AND person.is_active
"""


@dataclass(slots=True, eq=False)
class _Turn:
    """One chunk that is to pass."""

    user_id: int
    today: date
    read: Callable[[], bytes]
    chunk: bytes | None = None
    error: BaseException | None = None
    leads: bool = False
    # Released once: to lead, or to go on with what was read.
    bell: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin with nothing to do."""
        self.bell.acquire()


class Turnstile:
    """The turns at one release, in this process."""

    def __init__(self, release_id: int) -> None:
        self._release_id = release_id
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._leading = 0
        self._began = 0.0
        # How many to wait for: as many as came together last.
        self._expected = 1
        self._all_here = threading.Event()

    def take(
        self, user_id: int, today: date, read: Callable[[], bytes]
    ) -> bytes | None:
        """Return what `read` took while the gate was open; None when it was not."""
        turn = _Turn(user_id, today, read)
        with self._lock:
            if self._leading == 0 or (
                self._leading < _AT_ONCE and time.monotonic() - self._began > _IS_SLOW_S
            ):
                self._leading += 1
                turn.leads = True
            else:
                self._waiting.append(turn)
                if len(self._waiting) + 1 >= self._expected:
                    self._all_here.set()
        if not turn.leads:
            turn.bell.acquire()
        if turn.leads:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        return turn.chunk

    def _lead(self, own: _Turn) -> None:
        """Take those who wait through together, then let the next one lead.

        Who leads is not among those who wait, so that nobody else does her turn.
        """
        self._linger()
        with self._lock:
            together = [own, *self._waiting[: _TOGETHER - 1]]
            del self._waiting[: _TOGETHER - 1]
            self._expected = len(together)
            self._began = time.monotonic()
        left: list[_Turn] = []
        try:
            left = self._pass(together)
        except BaseException:
            for turn in together:
                turn.chunk = None
            raise
        finally:
            self._hand_over(together[: len(together) - len(left)], left)

    def _linger(self) -> None:
        with self._lock:
            if len(self._waiting) + 1 >= self._expected:
                return
            self._all_here.clear()
        self._all_here.wait(_LINGER_S)

    def _hand_over(self, done: list[_Turn], left: list[_Turn]) -> None:
        with self._lock:
            self._waiting[:0] = left
            heir = self._waiting.pop(0) if self._waiting else None
            if heir is None:
                self._leading -= 1
            else:
                heir.leads = True
                heir.bell.release()
        # The first of them led, and waits for nothing.
        for turn in done[1:]:
            turn.bell.release()

    def _pass(self, together: list[_Turn]) -> list[_Turn]:
        """Do what `gate` does for one; return those for whom there was no time.

        Without the commit nobody has a chunk.
        """
        today = max(turn.today for turn in together)
        users = {turn.user_id for turn in together}
        served = 0
        try:
            with _pool(os.getpid()).connection() as link:
                allowed = _ask(link, self._release_id, users, today)
                until = time.monotonic() + _READS_WITHIN_S
                for turn in together:
                    if served and time.monotonic() > until:
                        break
                    if turn.user_id in allowed:
                        _read(turn)
                    served += 1
        except (psycopg.Error, psycopg_pool.PoolTimeout):
            # The lock may have been lost on the way: what was read does not count.
            for turn in together:
                turn.chunk = None
            return []
        return together[served:]


def _read(turn: _Turn) -> None:
    try:
        turn.chunk = turn.read()
    except Exception as error:  # noqa: BLE001 - raised again where it belongs
        turn.error = error


def _ask(
    link: "psycopg.Connection[Any]",
    release_id: int,
    users: Collection[int],
    today: date,
) -> set[int]:
    """Take the lock, then ask who may, on one way to the server and back."""
    with link.pipeline():
        # A statement of its own: the second sees what was committed before the lock.
        link.execute(*locks.shared(release_id))
        found = link.execute(_WHO_MAY, [release_id, today, list(users)])
    return {user_id for (user_id,) in found.fetchall()}


_turnstiles: dict[int, Turnstile] = {}
_making = threading.Lock()


def at(release_id: int) -> Turnstile:
    """Return the turnstile of a release in this process."""
    with _making:
        return _turnstiles.setdefault(release_id, Turnstile(release_id))


@cache
def _pool(process: int) -> "psycopg_pool.ConnectionPool[psycopg.Connection[Any]]":
    """Return this process's connections; a child's are not those of its parent."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    return psycopg_pool.ConnectionPool(
        kwargs=parameters,
        min_size=0,
        max_size=_AT_ONCE,
        timeout=_CONNECTION_S,
        max_idle=60,
        open=True,
    )
