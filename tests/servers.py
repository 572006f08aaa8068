"""Pytest plugin: a real PostgreSQL and a real Valkey for the tests that need them.

Loaded by `-p`, before Django reads its settings: addresses are decided here at
import, servers start when the first test asks for them, so that tests of pure rooms
pay nothing. A server named by DATABASE_URL or REDIS_URL is used as it is. Every
pytest-xdist worker has servers of its own.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from gemmule.demo import valkey as valkey_server
from tests import postgres as postgres_server

Backend = Literal["sqlite", "postgres"]

# Names which of the servers are ours, so that a child process (a worker of xdist, a
# pytest run by a test) does not mistake its parent's addresses for a given server.
_OURS = "TESTS_OWN_SERVERS"


def _decide_addresses() -> tuple[Path, frozenset[str]]:
    """Put the addresses into the environment; return the base and what is ours."""
    base = Path(tempfile.mkdtemp(prefix="gm-", dir=valkey_server.short_directory()))
    # PostgreSQL runs as nobody under root, and must get through to its folder.
    base.chmod(0o711)
    inherited = set(filter(None, os.environ.pop(_OURS, "").split(",")))
    for name in [name for name in os.environ if name.startswith("GEMMULE_")]:
        del os.environ[name]  # Tests depend on nothing of the developer's.
    os.environ["GEMMULE_DATA_DIR"] = str(base / "site")
    os.environ["GEMMULE_MODE"] = "embedded"
    ours = set()
    if not os.environ.get("DATABASE_URL") or "postgres" in inherited:
        ours.add("postgres")
        host = str(postgres_server.socket_directory(base / "pg")).replace("/", "%2F")
        os.environ["DATABASE_URL"] = f"postgresql://app@{host}/gemmule"
        os.environ["VAULT_DATABASE_URL"] = f"postgresql://app@{host}/gemmule_vault"
    elif not os.environ.get("VAULT_DATABASE_URL"):
        # The same server, a second database.
        address, mark, options = os.environ["DATABASE_URL"].partition("?")
        os.environ["VAULT_DATABASE_URL"] = f"{address}_vault{mark}{options}"
    if not os.environ.get("REDIS_URL") or "valkey" in inherited:
        ours.add("valkey")
        os.environ["REDIS_URL"] = valkey_server.broker_url(base / "valkey.sock")
    os.environ[_OURS] = ",".join(sorted(ours))
    return base, frozenset(ours)


BASE, _ours = _decide_addresses()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run PostgreSQL; return the address of the default database on it."""
    if "postgres" not in _ours:
        yield os.environ["DATABASE_URL"]
        return
    with postgres_server.running(BASE / "pg"):
        yield os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """Run Valkey; return its address as Celery reads it."""
    if "valkey" not in _ours:
        yield os.environ["REDIS_URL"]
        return
    path = BASE / "valkey.sock"
    with valkey_server.running(BASE / "valkey", path=path, durable=False) as server:
        yield server.url


@pytest.fixture
def fresh_site(
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Backend], dict[str, str]]]:
    """Return a function that gives the environment of a site with no state at all.

    For processes of their own: `gemmule.demo.processes.running(environment=...)`
    brings the broker. PostgreSQL databases are dropped afterwards.
    """
    made: list[str] = []

    def make(backend: Backend) -> dict[str, str]:
        directory = tempfile.mkdtemp(prefix="site-", dir=BASE)
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "VAULT_DATABASE_URL", "REDIS_URL"}
        }
        environment["GEMMULE_DATA_DIR"] = directory
        if backend == "postgres":
            server = request.getfixturevalue("postgres")
            for variable in ("DATABASE_URL", "VAULT_DATABASE_URL"):
                made.append(f"gm_{uuid.uuid4().hex}")
                _administer(server, "CREATE DATABASE {}", made[-1])
                environment[variable] = _with_database(server, made[-1])
        return environment

    yield make
    for name in made:
        server = request.getfixturevalue("postgres")
        _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


def _with_database(address: str, name: str) -> str:
    return urlsplit(address)._replace(path=f"/{name}").geturl()


def _administer(address: str, statement: LiteralString, name: str) -> None:
    admin = _with_database(address, "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Remove everything the tests have written."""
    shutil.rmtree(BASE, ignore_errors=True)
