"""Pytest plugin: real PostgreSQL, Valkey and S3 for the tests that need them.

Loaded by `-p`, before Django reads its settings: addresses are decided here at
import, servers start when the first test asks for them, so that tests of pure rooms
pay nothing. A server named by DATABASE_URL or REDIS_URL is used as it is. Every
pytest-xdist worker has servers of its own.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemmule.demo import valkey as valkey_server
from tests import postgres as postgres_server
from tests import seaweed as seaweed_server

# Names which of the servers are ours, so that a child process (a worker of xdist, a
# pytest run by a test) does not mistake its parent's addresses for a given server.
_OURS = "TESTS_OWN_SERVERS"


def _decide_addresses() -> tuple[Path, frozenset[str]]:
    """Put the addresses into the environment; return the base and what is ours."""
    base = Path(tempfile.mkdtemp(prefix="gm-", dir=valkey_server.short_directory()))
    # PostgreSQL runs as nobody under root, and must get through to its folder.
    base.chmod(0o711)
    inherited = set(filter(None, os.environ.pop(_OURS, "").split(",")))
    for name in [name for name in os.environ if name.startswith(("GEMMULE_", "AWS_"))]:
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


BASE, OURS = _decide_addresses()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run PostgreSQL; return the address of the default database on it."""
    if "postgres" not in OURS:
        yield os.environ["DATABASE_URL"]
        return
    with postgres_server.running(BASE / "pg"):
        yield os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """Run Valkey; return its address as Celery reads it."""
    if "valkey" not in OURS:
        yield os.environ["REDIS_URL"]
        return
    path = BASE / "valkey.sock"
    with valkey_server.running(BASE / "valkey", path=path, durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def seaweed() -> Iterator[seaweed_server.Seaweed]:
    """Run SeaweedFS; return it with the address of its bucket."""
    with seaweed_server.running(BASE / "s3") as server:
        yield server


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Remove everything the tests have written."""
    shutil.rmtree(BASE, ignore_errors=True)
