"""Chunks that pass together pass as each would by itself."""

import itertools
import threading
from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection

from gemmule.access.models import AccessRequest, ProjectMember, RequestState
from gemmule.accounts.models import ResearcherKey, User
from gemmule.releases import gate, turnstile
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseState
from gemmule.releases.turnstile import Turnstile
from tests.gemmule.releases.racing import beside

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at(built: Release) -> Turnstile:
    return Turnstile(built.pk)


def is_open(release: Release, user: User, today: date) -> bool:
    """Return what the gate says of the rows as they are now."""
    fresh = Release.objects.select_related("request__project", "key").get(pk=release.pk)
    try:
        gate.check_open(fresh, User.objects.get(pk=user.pk), today=today)
    except DeliveryRefused:
        return False
    return True


def test_it_opens_exactly_where_the_gate_does(
    built: Release, rosa: User, at: Turnstile
) -> None:
    """Every value of every field that the gate looks at, one or two at a time."""
    day = built.expires_on
    releases, people = Release.objects.filter(pk=built.pk), User.objects
    requests = AccessRequest.objects.filter(pk=built.request_id)
    keys = ResearcherKey.objects.filter(pk=built.key_id)
    changes: list[Callable[[], object]] = [
        *[
            lambda state=state: releases.update(state=state, failure_reason="x")
            for state in ReleaseState.values
        ],
        *[
            lambda state=state: requests.update(state=state)
            for state in RequestState.values
        ],
        *[
            lambda state=state: keys.update(state=state)
            for state in ResearcherKey.State.values
        ],
        lambda: people.filter(pk=rosa.pk).update(is_active=False),
        lambda: ProjectMember.objects.filter(user=rosa).delete(),
        lambda: None,
    ]
    start = {
        "state": built.state,
        "request": built.request.state,
        "key": built.key.state,
    }
    member = ProjectMember.objects.get(user=rosa)
    verdicts = []
    for change, after in itertools.product(changes, (-1, 0, 1)):
        releases.update(state=start["state"], failure_reason="")
        requests.update(state=start["request"])
        keys.update(state=start["key"])
        people.filter(pk=rosa.pk).update(is_active=True)
        member.save()
        try:
            change()
        except IntegrityError:
            continue  # A row that the database does not allow is not to be judged.
        today = day + timedelta(days=after)
        verdict = at.take(rosa.pk, today, lambda: b"chunk") == b"chunk"
        assert verdict == is_open(built, rosa, today)
        verdicts.append(verdict)
    assert True in verdicts and False in verdicts


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


def test_many_share_one_transaction(
    rosa: User, at: Turnstile, built: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask = turnstile._ask

    def counted(*arguments: object) -> set[int]:
        asked.append(1)
        return ask(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(turnstile, "_ask", counted)
    reads = [0]
    lock = threading.Lock()

    def read() -> bytes:
        with lock:
            reads[0] += 1
        return b"chunk"

    def reader() -> None:
        for _ in range(30):
            assert at.take(rosa.pk, built.expires_on, read) == b"chunk"

    beside(*[reader] * 16)
    assert reads[0] == 16 * 30
    assert len(asked) < reads[0] / 2


def test_what_was_read_while_the_lock_was_lost_does_not_count(
    rosa: User, at: Turnstile, built: Release
) -> None:
    """PostgreSQL ends the connection between the question and the commit."""
    killed = []

    def read() -> bytes:
        with administering() as admin:
            killed.append(
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks "
                    "WHERE locktype = 'advisory' AND mode = 'ShareLock'"
                ).fetchall()
            )
        return b"chunk"

    assert at.take(rosa.pk, built.expires_on, read) is None
    assert killed == [[(True,)]]
    # And it goes on with another connection.
    assert at.take(rosa.pk, built.expires_on, lambda: b"chunk") == b"chunk"


def administering() -> "psycopg.Connection[tuple[bool]]":
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    admin: psycopg.Connection[tuple[bool]] = psycopg.connect(
        **parameters, autocommit=True
    )
    return admin
