"""Let the readers of one release pass the gate while one transaction holds it open.

Fifty downloads of a release ask the same question all the time. Here one transaction
of PostgreSQL takes the release's shared lock, asks about everybody who wants to read,
and stays for a moment: a window. Whoever was found to be allowed reads in it as often
as she likes, in her own thread and without a way to the database. Nobody begins to read
after its end, and it is not committed before everybody has read, so that a closing,
which waits for the lock, finds nobody reading.

A chunk counts if the lock was held until it had been read. For a short time silence of
PostgreSQL is proof: it says that it ends a connection before it gives up its locks, and
when it crashes the line breaks. Where reading took longer, the commit decides.

Only a "yes" is found out here. Whatever is not one is left to `gate`, which asks again
on its own and has the words.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from weakref import WeakValueDictionary

import psycopg
import psycopg_pool
from django.db import connection
from psycopg import sql

import ledger.rollback
from gemmule.releases import endings, holding, locks

# So long a closing waits at most, and for the reads that have begun.
_OPEN_S = 0.025
# So long since the question silence is believed; a reader may wait for her turn to run.
_SURE_S = 0.100
# After that the next one is asked for, to take its place; if nobody came, it is closed.
_RENEWED_AFTER_S = 0.010
# Windows of one release, when reading is slow, and connections of a process.
_AT_ONCE = 4
_CONNECTIONS = 8
# How long to wait for a connection before `gate` asks for one of its own.
_CONNECTION_S = 5.0

# The words of `gate.check_open`, as one question about all who want to read. The lock
# is taken by a statement of its own: the next one sees what was committed before.
_QUESTION = sql.SQL(
    """
BEGIN;
{lock};
SELECT member.user_id
FROM releases_release release
JOIN access_accessrequest request ON request.id = release.request_id
JOIN accounts_researcherkey key ON key.id = release.key_id
JOIN access_projectmember member ON member.project_id = request.project_id
JOIN accounts_user person ON person.id = member.user_id
WHERE release.id = {release} AND release.state IN ('sealed', 'available')
AND release.expires_on >= {today} AND request.state = 'approved'
AND key.state = 'active' AND member.user_id = ANY({users}) AND person.is_active
AND {is_sealed} AND NOT {is_ended}
AND """
    + holding.QUESTION
)

# Compiled, a call of libpq that does not wait is one step for all threads.
_IS_ONE_STEP = psycopg.pq.__impl__ != "python"

_Link = psycopg.Connection[Any]


@dataclass(slots=True, eq=False)
class _Turn:
    """One who waits for a window."""

    thread: int
    user_id: int
    today: date
    window: "_Window | None" = None
    # Released once it is known whether there is a window for her.
    bell: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.bell.acquire()


@dataclass(slots=True, eq=False)
class _Window:
    """A transaction that holds the lock, and who may read meanwhile.

    Readers enter and leave without a lock, which dozens of threads would queue for:
    each step of theirs is a single operation on a set.
    """

    link: _Link
    # Who is asked about, and for which day: a "yes" holds for the days before it, too.
    users: set[int]
    today: date
    allowed: set[int] = field(default_factory=set)
    ends_at: float = 0.0
    sure_until: float = 0.0
    # The threads that read, and the users who did.
    inside: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)
    is_used: bool = False
    is_shut: bool = False
    # What makes it doubtful that the lock is held.
    doubts: list[object] = field(default_factory=list)
    is_committed: bool = False
    decided: threading.Event = field(default_factory=threading.Event)

    def open(self, release_id: int) -> None:
        """Take the lock, then ask who may, on one way to the server and back."""
        found = self.link.execute(
            _QUESTION.format(
                lock=locks.shared(release_id),
                release=release_id,
                today=self.today,
                users=list(self.users),
                is_sealed=endings.IS_SEALED_SQL,
                is_ended=endings.IS_ENDED_SQL,
                floor=ledger.rollback.floor(),
            )
        )
        while found.nextset():
            pass
        self.allowed = {user_id for (user_id,) in found.fetchall()}
        now = time.monotonic()
        self.ends_at, self.sure_until = now + _OPEN_S, now + _SURE_S

    def enter(self, thread: int, user_id: int, today: date) -> bool:
        """Count a thread in if it may begin to read now; else it is to leave."""
        # First in, then the look: who shuts the window looks the other way round.
        self.inside.add(thread)
        if (
            self.is_shut
            or self.doubts
            or user_id not in self.allowed
            or today > self.today
            or time.monotonic() >= self.ends_at
        ):
            return False
        self.came.add(user_id)
        self.is_used = True
        return True

    def is_sure(self) -> bool:
        """Return whether the lock is held as long as nothing is heard."""
        return _IS_ONE_STEP and time.monotonic() < self.sure_until

    def is_lost(self) -> bool:
        """Return whether PostgreSQL has said anything; nothing is waited for."""
        if _IS_ONE_STEP and not self.doubts:
            try:
                self.link.pgconn.consume_input()
                # Looks at what came, which is then a doubt.
                self.link.pgconn.is_busy()
            except psycopg.Error as error:
                self.doubts.append(error)
        return bool(self.doubts)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Doubt once PostgreSQL says a thing unasked."""
        pgconn = self.link.pgconn
        before = pgconn.notice_handler
        # No code of Python, which could be interrupted for another thread's.
        pgconn.notice_handler = self.doubts.append
        try:
            yield
        finally:
            pgconn.notice_handler = before
            self.doubts.append("nobody listens")


class Turnstile:
    """The windows of one release, in this process."""

    def __init__(self, release_id: int) -> None:
        self._release_id = release_id
        self._lock = threading.Lock()
        # For those who keep a window: another took its place, or the last has left.
        self._news = threading.Condition(self._lock)
        self._waiting: list[_Turn] = []
        # The one to enter by; others may still be held by who is inside.
        self._window: _Window | None = None
        # Who came to the last one, and the day it was asked for.
        self._came: set[int] = set()
        self._today = date.min
        self._is_opening = False
        self._held = 0

    def take(
        self, user_id: int, today: date, read: Callable[[], bytes]
    ) -> bytes | None:
        """Return what `read` took while the gate was open; None when it was not."""
        window = self._enter(user_id, today)
        if window is None:
            return None
        try:
            chunk = read()
        finally:
            counts = self._leave(window)
        return chunk if counts else None

    def _enter(self, user_id: int, today: date) -> _Window | None:
        thread, window = threading.get_ident(), self._window
        if window is not None:
            if window.enter(thread, user_id, today):
                return window
            self._go(window, thread)
        with self._lock:
            turn = _Turn(thread, user_id, today)
            self._waiting.append(turn)
            is_due = self._is_due()
        self._open_next(is_due)
        turn.bell.acquire()
        return turn.window

    def _leave(self, window: _Window) -> bool:
        """Return whether what was read counts."""
        is_lost, is_sure = window.is_lost(), window.is_sure()
        self._go(window, threading.get_ident())
        if is_lost or is_sure:
            return not is_lost
        window.decided.wait()
        return window.is_committed

    def _go(self, window: _Window, thread: int) -> None:
        window.inside.discard(thread)
        if window.is_shut and not window.inside:
            with self._lock:
                self._news.notify_all()

    def _is_due(self) -> bool:
        """Return whether the caller is to open the next window, without the lock."""
        if self._is_opening or self._held == _AT_ONCE:
            return False
        self._is_opening = True
        self._held += 1
        return True

    def _open_next(self, is_due: bool) -> None:
        if not is_due:
            return
        # A daemon: the end of a process waits for no reader.
        keeper = threading.Thread(target=self._keep, name="turnstile", daemon=True)
        try:
            keeper.start()
        except RuntimeError:  # There are too many threads.
            self._turn_away()
            with self._lock:
                self._held -= 1

    def _keep(self) -> None:
        """Open a window for those who wait, and close it when its time is over."""
        try:
            self._hold_window()
        except (psycopg.Error, psycopg_pool.PoolTimeout):
            pass  # What did not count is asked for by `gate`.
        finally:
            with self._lock:
                self._held -= 1
                is_due = bool(self._waiting) and self._is_due()
            self._open_next(is_due)

    def _hold_window(self) -> None:
        """Without the commit nothing counts that took long to read."""
        window: _Window | None = None
        is_open = False
        try:
            with _pool(os.getpid()).connection() as link:
                window = self._asked(link)
                with window.listening():
                    window.open(self._release_id)
                    self._admit(window)
                    is_open = True
                    self._stay_open(window)
                # Of its own accord the end of the block would be silent about a
                # connection that is lost.
                link.commit()
                window.is_committed = True
        finally:
            if window is not None:
                window.decided.set()
            if not is_open:
                self._turn_away()

    def _asked(self, link: _Link) -> _Window:
        """Return a window for those who wait and those who came to the last one."""
        with self._lock:
            users = self._came.union(turn.user_id for turn in self._waiting)
            self._today = max(
                (turn.today for turn in self._waiting), default=self._today
            )
            return _Window(link, users, self._today)

    def _admit(self, window: _Window) -> None:
        """Make this the window to enter by, first for those who waited."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            for turn in waiting:
                if window.enter(turn.thread, turn.user_id, turn.today):
                    turn.window = window
                else:
                    window.inside.discard(turn.thread)
                    if turn.user_id not in window.users or turn.today > window.today:
                        self._waiting.append(turn)  # Came after the question.
                        continue
                turn.bell.release()
            window.is_used = False
            self._window, self._came = window, window.came
            self._is_opening = False
            self._news.notify_all()
            is_due = bool(self._waiting) and self._is_due()
        self._open_next(is_due)

    def _turn_away(self) -> None:
        """Leave all who wait to `gate`."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._is_opening = False
        for turn in waiting:
            turn.bell.release()

    def _stay_open(self, window: _Window) -> None:
        """Let in as long as there is time and use; return when all have left."""
        with self._lock:
            self._news.wait_for(lambda: self._window is not window, _RENEWED_AFTER_S)
            is_due = self._window is window and window.is_used and self._is_due()
        self._open_next(is_due)
        with self._lock:
            if window.is_used:
                self._news.wait_for(
                    lambda: self._window is not window,
                    max(0.0, window.ends_at - time.monotonic()),
                )
            if self._window is window:
                self._window = None
            window.is_shut = True
            self._news.wait_for(lambda: not window.inside)


def at(release_id: int) -> Turnstile:
    """Return the turnstile of a release in this process."""
    known = _turnstiles(os.getpid())
    return known.get(release_id) or known.setdefault(release_id, Turnstile(release_id))


@cache
def _turnstiles(process: int) -> WeakValueDictionary[int, Turnstile]:
    """Return those in use in this process; a child's are not those of its parent."""
    return WeakValueDictionary()


@cache
def _pool(process: int) -> psycopg_pool.ConnectionPool[_Link]:
    """Return this process's connections."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    return psycopg_pool.ConnectionPool(
        kwargs={**parameters, "autocommit": True},
        min_size=0,
        max_size=_CONNECTIONS,
        timeout=_CONNECTION_S,
        max_idle=60,
        open=True,
    )
