"""Chunks that pass together pass as each would by itself."""

import itertools
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from psycopg import sql

from gemmule.access.models import AccessRequest, ProjectMember, RequestState
from gemmule.accounts.models import ResearcherKey, User
from gemmule.releases import gate, locks, turnstile
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseState
from gemmule.releases.turnstile import Turnstile, _Window
from tests import waiting
from tests.gemmule.releases.racing import beside, let_pass

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at(built: Release) -> Iterator[Turnstile]:
    made = turnstile.at(built.pk)
    yield made
    with made._lock:
        made._window = None
        made._news.notify_all()
    waiting.until(lambda: made._held == 0, what="the end of all windows")


def is_open(fresh: Release, user: User, today: date) -> bool:
    """Return what the gate says of rows that were just read."""
    try:
        gate.check_open(fresh, user, today=today)
    except DeliveryRefused:
        return False
    return True


def test_it_opens_exactly_where_the_gate_does(built: Release, rosa: User) -> None:
    """Every value of every field that the gate looks at, with every other."""
    releases, people = Release.objects.filter(pk=built.pk), User.objects
    requests = AccessRequest.objects.filter(pk=built.request_id)
    keys = ResearcherKey.objects.filter(pk=built.key_id)
    member = ProjectMember.objects.get(user=rosa)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    verdicts = []
    with psycopg.connect(**parameters, autocommit=True) as link:
        for state, request, key in itertools.product(
            ReleaseState.values, RequestState.values, ResearcherKey.State.values
        ):
            try:
                releases.update(state=state, failure_reason="x" * (state == "failed"))
                requests.update(state=request)
                keys.update(state=key)
            except IntegrityError:
                continue  # A row that the database does not allow is not judged.
            for is_active, is_member in itertools.product((True, False), repeat=2):
                people.filter(pk=rosa.pk).update(is_active=is_active)
                if is_member:
                    member.save()
                else:
                    ProjectMember.objects.filter(pk=member.pk).delete()
                fresh = Release.objects.select_related("request__project", "key").get()
                person = people.get(pk=rosa.pk)
                for after in (-1, 0, 1):
                    today = built.expires_on + timedelta(days=after)
                    window = _Window(link, {rosa.pk}, today)
                    window.open(built.pk)
                    link.rollback()
                    verdict = window.allowed == {rosa.pk}
                    assert verdict == is_open(fresh, person, today)
                    verdicts.append(verdict)
    assert verdicts.count(True) == 2 * 2  # Sealed or available, until the last day.


def test_a_stranger_beside_the_recipient_gets_nothing(
    rosa: User, sam: User, at: Turnstile, built: Release
) -> None:
    today = built.expires_on
    ways = [
        lambda user=user: at.take(user.pk, today, lambda: b"chunk")
        for user in [rosa, sam] * 6
    ]
    assert beside(*ways) == [b"chunk", None] * 6


def test_each_has_its_own_chunk_and_its_own_error(
    rosa: User, at: Turnstile, built: Release
) -> None:
    """Twenty at once, fifty times, some of whose reading fails."""
    today = built.expires_on

    def reader(number: int) -> list[bytes | str | None]:
        def read() -> bytes:
            if number % 7 == 3:
                raise FileNotFoundError(str(number))
            return str(number).encode()

        found: list[bytes | str | None] = []
        for _ in range(50):
            try:
                found.append(at.take(rosa.pk, today, read))
            except FileNotFoundError as error:
                found.append(str(error))
        return found

    got = beside(*[lambda number=number: reader(number) for number in range(20)])
    for number, found in enumerate(got):
        expected = str(number) if number % 7 == 3 else str(number).encode()
        assert found == [expected] * 50


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the releases whose lock was asked for, one each time."""
    found: list[int] = []
    shared = locks.shared

    def counted(release_id: int) -> sql.Composed:
        found.append(release_id)
        return shared(release_id)

    monkeypatch.setattr(locks, "shared", counted)
    return found


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a window stay open for longer than a test needs."""
    monkeypatch.setattr(turnstile, "_OPEN_S", 60.0)
    monkeypatch.setattr(turnstile, "_SURE_S", 60.0)
    monkeypatch.setattr(turnstile, "_RENEWED_AFTER_S", 60.0)


def test_many_share_one_transaction(
    rosa: User, at: Turnstile, built: Release, asked: list[int]
) -> None:
    def reader() -> list[bytes | None]:
        return [
            at.take(rosa.pk, built.expires_on, lambda: b"chunk") for _ in range(100)
        ]

    assert beside(*[reader] * 16) == [[b"chunk"] * 100] * 16
    assert len(asked) < 16 * 100 / 8


@dataclass
class Slow:
    """One who reads for as long as it is told to."""

    at: Turnstile
    user: User
    today: date
    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def take(self) -> bytes | None:
        return self.at.take(self.user.pk, self.today, self._read)

    def _read(self) -> bytes:
        self.begun.set()
        assert self.go_on.wait(60)
        return b"slow"


@contextmanager
def reading(slow: Slow) -> Iterator["Future[bytes | None]"]:
    """Let one read meanwhile, and go on at the end if not before."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(slow.take)
        try:
            assert slow.begun.wait(60)
            with slow.at._lock:  # Until those who waited are in.
                pass
            yield done
        finally:
            slow.go_on.set()


def test_a_chunk_is_handed_on_before_the_window_closes(
    rosa: User, at: Turnstile, built: Release, asked: list[int], long: None
) -> None:
    for _ in range(3):
        assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"
    assert asked == [built.pk]
    with administering() as admin:
        assert locked(admin) == 1


def test_a_closing_waits_for_who_reads_and_nobody_passes_it(
    rosa: User, at: Turnstile, built: Release
) -> None:
    slow, later = (Slow(at, rosa, built.expires_on) for _ in range(2))
    later.go_on.set()
    with ThreadPoolExecutor(2) as pool, administering() as admin:
        with reading(slow) as done:
            closing = pool.submit(hold_exclusive, built, later)
            waiting.until(lambda: locked(admin, granted=False) > 0, what="the closing")
            last = pool.submit(later.take)
            # Longer than any window: whoever were to pass the closing would have.
            assert not later.begun.wait(4 * turnstile._OPEN_S)
            assert not closing.done()
            slow.go_on.set()
        assert done.result() == b"slow"
        assert closing.result() is False
        assert last.result() == b"slow"


def hold_exclusive(release: Release, later: Slow) -> bool:
    """Take the lock of a closing; return whether somebody read meanwhile."""
    try:
        with transaction.atomic():
            locks.lock_exclusive(release.pk)
            return later.begun.wait(4 * turnstile._OPEN_S)
    finally:
        connections.close_all()


def test_slow_reading_holds_up_nobody_else(
    rosa: User, at: Turnstile, built: Release, asked: list[int]
) -> None:
    """Who comes when the window is over has one of her own."""
    with reading(Slow(at, rosa, built.expires_on)) as done:
        waiting.until(lambda: at._window is None, what="the end of the window")
        before = len(asked)
        assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"
        assert len(asked) > before
        assert not done.done()
    assert done.result() == b"slow"


def test_nobody_begins_to_read_when_the_time_is_over(
    rosa: User,
    at: Turnstile,
    built: Release,
    asked: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here nobody has shut the window yet."""
    monkeypatch.setattr(turnstile, "_RENEWED_AFTER_S", 60.0)
    with reading(Slow(at, rosa, built.expires_on)):
        window = at._window
        assert window is not None
        waiting.until(lambda: time.monotonic() > window.ends_at, what="its end")
        assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"
        assert len(asked) == 2


def test_more_slow_readers_than_windows_all_get_their_chunk(
    rosa: User, at: Turnstile, built: Release
) -> None:
    def read() -> bytes:
        let_pass(3 * turnstile._OPEN_S)
        return b"chunk"

    def reader() -> list[bytes | None]:
        let_pass(next(delays))
        return [at.take(rosa.pk, built.expires_on, read) for _ in range(3)]

    delays = itertools.count(0.0, turnstile._OPEN_S * 1.2)
    assert beside(*[reader] * 8) == [[b"chunk"] * 3] * 8


def test_who_comes_on_the_next_day_is_asked_about_again(
    rosa: User, at: Turnstile, built: Release, asked: list[int], long: None
) -> None:
    last = built.expires_on
    with reading(Slow(at, rosa, last)) as done:
        assert at.take(rosa.pk, last + timedelta(days=1), lambda: b"chunk") is None
        assert len(asked) == 2
    assert done.result() == b"slow"


def test_who_was_not_asked_about_waits_for_no_window_to_end(
    rosa: User, sam: User, at: Turnstile, built: Release, long: None
) -> None:
    with reading(Slow(at, rosa, built.expires_on)):
        assert at.take(sam.pk, built.expires_on, lambda: b"chunk") is None
        ProjectMember.objects.create(
            project=built.request.project, user=sam, added_at=timezone.now()
        )
        assert at.take(sam.pk, built.expires_on, lambda: b"chunk") == b"chunk"


def test_what_was_read_while_the_lock_was_lost_does_not_count(
    rosa: User, at: Turnstile, built: Release, long: None
) -> None:
    """PostgreSQL ends the connection while some read and after others have."""
    today = built.expires_on
    first, second = (Slow(at, rosa, today) for _ in range(2))
    with reading(first) as one, reading(second) as other:
        assert at.take(rosa.pk, today, lambda: b"before") == b"before"
        take_the_lock_away()
        # Comes to the old window: nobody has looked yet.
        assert at.take(rosa.pk, today, lambda: b"after") is None
        first.go_on.set()
        assert one.result(60) is None
        second.go_on.set()
        assert other.result(60) is None
    # And it goes on with another connection.
    assert at.take(rosa.pk, today, lambda: b"chunk") == b"chunk"


def test_a_chunk_that_took_long_to_read_waits_for_the_commit(
    rosa: User, at: Turnstile, built: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if nothing was heard of a loss, as when a network is away."""
    monkeypatch.setattr(turnstile, "_SURE_S", 0.0)
    monkeypatch.setattr(_Window, "is_lost", lambda self: False)
    assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"
    with reading(Slow(at, rosa, built.expires_on)) as done:
        take_the_lock_away()
    assert done.result() is None


def test_where_no_thread_is_to_be_had_it_is_left_to_the_gate(
    rosa: User, at: Turnstile, built: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for _ in range(10):
            assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") is None
    assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"


def test_a_child_of_the_process_has_windows_of_its_own(
    rosa: User, at: Turnstile, built: Release, asked: list[int], long: None
) -> None:
    """It was forked while one was open."""
    today, users = built.expires_on, rosa.pk
    with reading(Slow(at, rosa, today)) as done:
        child = os.fork()
        if not child:
            signal.alarm(60)
            taken = None
            try:
                taken = turnstile.at(built.pk).take(users, today, lambda: b"chunk")
            finally:
                os._exit(taken != b"chunk" or len(asked) != 2)
        assert os.waitpid(child, 0)[1] == 0
    assert done.result() == b"slow"


def test_no_turnstile_outlives_its_windows(rosa: User, built: Release) -> None:
    known = weakref.ref(turnstile.at(built.pk))
    assert turnstile.at(built.pk).take(rosa.pk, built.expires_on, lambda: b"x") == b"x"
    waiting.until(lambda: known() is None, what="the end of the turnstile")


def take_the_lock_away() -> None:
    with administering() as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND mode = 'ShareLock'"
        ).fetchall()
        assert ended == [(True,)]
        waiting.until(lambda: locked(admin) == 0, what="the loss of the lock")


def locked(admin: "psycopg.Connection[tuple[Any]]", *, granted: bool = True) -> int:
    """Return how many advisory locks are held, or waited for."""
    ((count,),) = admin.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = %s",
        [granted],
    ).fetchall()
    assert isinstance(count, int)
    return count


def administering() -> "psycopg.Connection[tuple[Any]]":
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    admin: psycopg.Connection[tuple[Any]] = psycopg.connect(
        **parameters, autocommit=True
    )
    return admin
