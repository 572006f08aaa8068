"""Both kinds of database, and a short way to put an event on the ledger."""

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker

from gemmule import settings as house
from ledger import rollback, services
from ledger.models import Checkpoint, Entry
from tests.ledger.losing import export, lose  # noqa: F401  (fixtures)

Record = Callable[..., UUID]

_FILES = {"default": "gemmule.sqlite3", "vault": "vault.sqlite3"}


@pytest.fixture(
    params=[
        # Only the tables of the ledger are emptied behind a test, as it fills no
        # others: emptying all of them takes longer than most tests.
        pytest.param(
            "postgresql",
            marks=pytest.mark.django_db(transaction=True, available_apps=["ledger"]),
        ),
        "sqlite",
    ]
)
def database(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """Run the test on PostgreSQL, and once more on SQLite as the embedded default.

    Commits are real on both. The SQLite files lie where a process of the embedded
    default looks for them.
    """
    if request.param == "postgresql":
        yield "postgresql"
        return
    template = request.getfixturevalue("sqlite_template")
    shutil.rmtree(settings.DATA_DIR / "ledger", ignore_errors=True)
    settings.LEDGER_KEY_FILE.unlink(missing_ok=True)
    with django_db_blocker.unblock(), _on_sqlite(settings.DATA_DIR):
        for name in _FILES.values():
            shutil.copy(template / name, settings.DATA_DIR / name)
        rollback.forget()
        yield "sqlite"


@pytest.fixture(scope="session")
def sqlite_template(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Path:
    """Return a folder with the empty tables of the ledger in SQLite files."""
    folder = tmp_path_factory.mktemp("sqlite")
    with django_db_blocker.unblock(), _on_sqlite(folder, keep=True):
        for alias in _FILES:
            call_command("migrate", "ledger", database=alias, verbosity=0)
    return folder


@contextmanager
def _on_sqlite(folder: Path, *, keep: bool = False) -> Iterator[None]:
    """Let both aliases stand for SQLite files in a folder."""
    kept = {alias: connections[alias] for alias in _FILES}
    kept_settings = {alias: connections.settings[alias] for alias in _FILES}
    try:
        for alias, name in _FILES.items():
            connections.settings[alias] = _sqlite(alias, folder / name)
            del connections[alias]
        yield
    finally:
        for alias, name in _FILES.items():
            connections[alias].close()
            connections.settings[alias] = kept_settings[alias]
            connections[alias] = kept[alias]
            for each in () if keep else folder.glob(f"{name}*"):
                each.unlink()


def _sqlite(alias: str, file: Path) -> dict[str, Any]:
    chosen = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": dict(house._SQLITE_OPTIONS),
    }
    whole = connections.configure_settings({"default": {}, alias: chosen})
    found: dict[str, Any] = whole[alias]
    return found


@pytest.fixture
def record(now: datetime) -> Record:
    """Return a function that commits an event and returns its id."""

    def commit(
        type: str = "role.granted",
        pub: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        event: UUID | None = None,
        subject: UUID | None = None,
        at: datetime = now,
    ) -> UUID:
        chosen = event or uuid.uuid4()
        with transaction.atomic():
            services.append(
                type=type,
                pub={"role": "steward"} if pub is None else pub,
                body={} if body is None else body,
                event=chosen,
                now=at,
                subject=subject,
            )
        return chosen

    return commit


@pytest.fixture
def ada(now: datetime) -> UUID:
    """Return the subject to whom every other event belongs."""
    return services.new_subject(now=now)


@pytest.fixture
def events(record: Record, ada: UUID, now: datetime) -> list[UUID]:
    """Return six events, entries 1 to 6; the ones of Ada are 1, 3 and 5."""
    made = []
    for number in range(3):
        at = now + timedelta(minutes=number)
        kind = "consent.changed" if number else "consent.given"
        made.append(record(kind, {}, {"terms": number}, subject=ada, at=at))
        made.append(record(body={"grant": number}, at=at))
    return made


@pytest.fixture
def log_bytes() -> Callable[[], list[bytes]]:
    """Return a function that reads the bytes of all entries in order."""

    def read() -> list[bytes]:
        rows = Entry.objects.order_by("seq").values_list("data", flat=True)
        return [bytes(data) for data in rows]

    return read


@pytest.fixture
def last_note() -> Callable[[], bytes]:
    """Return a function that reads the last signed note."""

    def read() -> bytes:
        row = Checkpoint.objects.order_by("-size").first()
        assert row is not None
        return bytes(row.note)

    return read


@pytest.fixture
def unguarded() -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which the append-only triggers are off: a superuser's day."""

    @contextmanager
    def off() -> Iterator[None]:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
                yield
                return
            cursor.execute(
                "SELECT name, sql FROM sqlite_master "
                "WHERE type = 'trigger' AND name LIKE 'ledger_%'"
            )
            triggers = cursor.fetchall()
            assert triggers
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            yield
            for _, sql in triggers:
                cursor.execute(sql)

    return off


@pytest.fixture
def reckless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sequencer go on behind rows that went back, as an attacker's would."""
    monkeypatch.setattr(rollback, "proofs", tuple)
