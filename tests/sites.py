"""Pytest plugin: sites of their own, on either database, for processes of their own.

Migrations take seconds: they run once per backend, and every site is a copy. What
runs on a site is the business of the tests; see `gemmule.demo.processes.running`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests import servers

Backend = Literal["sqlite", "postgres"]
FreshSite = Callable[[Backend], dict[str, str]]

_VARIABLES = ("DATABASE_URL", "VAULT_DATABASE_URL")


class _Sites:
    """Makes sites, and drops the databases of all of them."""

    def __init__(self, server: Callable[[], str]) -> None:
        self._server = server
        self._templates: dict[Backend, dict[str, str]] = {}
        self._databases: list[str] = []

    def fresh(self, backend: Backend) -> dict[str, str]:
        """Return the environment of a site with migrated, empty databases."""
        if backend not in self._templates:
            template = self._blank(backend, {})
            for alias in ("default", "vault"):
                command = ("migrate", "--verbosity", "0", "--database", alias)
                subprocess.run(
                    [sys.executable, "-m", "django", *command], env=template, check=True
                )
            self._templates[backend] = template
        template = self._templates[backend]
        site = self._blank(backend, template)
        for path in Path(template["GEMMULE_DATA_DIR"]).glob("*.sqlite3"):
            shutil.copy2(path, site["GEMMULE_DATA_DIR"])
        return site

    def close(self) -> None:
        """Drop the databases on a server that stays; ours is gone by now."""
        if "postgres" in servers.OURS:
            return
        for name in self._databases:
            _administer(self._server(), "DROP DATABASE {} WITH (FORCE)", name)

    def _blank(self, backend: Backend, template: dict[str, str]) -> dict[str, str]:
        given = {*_VARIABLES, "REDIS_URL"}
        site = {name: value for name, value in os.environ.items() if name not in given}
        site["GEMMULE_DATA_DIR"] = tempfile.mkdtemp(prefix="site-", dir=servers.BASE)
        # What a killed process leaves behind is removed with everything else.
        site["TMPDIR"] = str(servers.BASE)
        if backend == "postgres":
            for variable in _VARIABLES:
                name = f"gemmule_{uuid.uuid4().hex}"
                original = urlsplit(template.get(variable, "")).path.strip("/")
                _administer(
                    self._server(),
                    "CREATE DATABASE {} TEMPLATE {}",
                    name,
                    original or "template1",
                )
                self._databases.append(name)
                site[variable] = _with_database(self._server(), name)
        return site


@pytest.fixture(scope="session")
def fresh_site(request: pytest.FixtureRequest) -> Iterator[FreshSite]:
    """Return a function: `fresh_site("sqlite")` or `("postgres")` gives an environment.

    Run it with `processes.running(environment=fresh_site(...), prepare=())`, which
    brings the broker.
    """

    def server() -> str:
        # Asked for late: sites on SQLite start no PostgreSQL.
        return str(request.getfixturevalue("postgres"))

    sites = _Sites(server)
    yield sites.fresh
    sites.close()


def _with_database(address: str, name: str) -> str:
    return urlsplit(address)._replace(path=f"/{name}").geturl()


def _administer(address: str, statement: LiteralString, *names: str) -> None:
    admin = _with_database(address, "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
