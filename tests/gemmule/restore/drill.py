"""A site whose databases and files can be backed up and restored, on either backend."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from ledger.tlog.note import SignerKey
from tests import witnesses

_ACTS = Path(__file__).parent / "acts.py"
_ROOT = Path(__file__).parents[3]
_FILES = {"default": "gemmule.sqlite3", "vault": "vault.sqlite3"}
_ADDRESSES = {"default": "DATABASE_URL", "vault": "VAULT_DATABASE_URL"}


class Drill:
    """The site, and what is told of it when it is filled."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {
            **environment,
            "DJANGO_SETTINGS_MODULE": "gemmule.settings",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "PYTHONPATH": f"{_ROOT}:{_ROOT / 'platform'}",
        }
        self.data = Path(environment["GEMMULE_DATA_DIR"])
        self.ledger = self.data / "ledger"
        self.hers = self.other = self.token = ""
        self._process: subprocess.Popen[str] | None = None

    @contextmanager
    def witnessed(self, folder: Path) -> Iterator[None]:
        """Have a witness in `folder` cosign the ledger until the block ends."""
        self.manage("init_ledger")
        self.stop()
        key = SignerKey.from_text(
            (self.data / "keys" / "ledger.key").read_text().strip()
        )
        log = key.verifier
        witness = witnesses.make(folder / "witness", log)
        with witnesses.serving(folder / "witness") as serving:
            policy = folder / "policy"
            policy.write_text(
                f"log {log.text}\nwitness w {witness.text} {serving.url}\nquorum w\n"
            )
            self.environment["GEMMULE_LEDGER_POLICY"] = str(policy)
            yield

    def fill(self) -> None:
        told = self.act("stage")
        self.hers, self.other, self.token = told["hers"], told["other"], told["token"]

    def act(self, name: str, *arguments: str) -> Any:
        """Return what an act answers; the process that acts goes on."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, str(_ACTS)],
                env=self.environment,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        pipes = self._process
        assert pipes.stdin is not None and pipes.stdout is not None
        pipes.stdin.write(json.dumps([name, *arguments]) + "\n")
        pipes.stdin.flush()
        answer = pipes.stdout.readline()
        assert answer, f"{name} failed; its error is above"
        return json.loads(answer)

    def stop(self) -> None:
        """End the process that acts; the next act begins another."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def manage(self, *arguments: object, fails: bool = False) -> str:
        """Return what a command says."""
        is_done, said = self.act("manage", *map(str, arguments))
        assert is_done is not fails, said
        return str(said)

    def fetch(self) -> tuple[list[Any], list[Any]]:
        """Return the answers for Ada's release and for the other one."""
        found = self.act("fetch", self.token, self.hers, self.other)
        return found[self.hers], found[self.other]

    def back_up(self, name: str) -> None:
        """Copy both databases."""
        for alias in _FILES:
            self._copy(alias, name)

    def restore(self, name: str, *aliases: str) -> None:
        """Put the copies of the databases back; of both, unless some are named."""
        for alias in aliases or tuple(_FILES):
            self._put_back(alias, name)

    def copy_ledger(self, name: str) -> None:
        """Copy the files of the ledger, the notary's memory among them."""
        shutil.copytree(self.ledger, self.data / f"ledger-{name}")

    def put_ledger_back(self, name: str) -> None:
        shutil.rmtree(self.ledger)
        shutil.copytree(self.data / f"ledger-{name}", self.ledger)

    def from_here(self) -> tuple[str, ...]:
        """Return how to restore from the site's own public files."""
        public, policy = self.ledger / "public", self.data / "policy-of-the-drill"
        shutil.copyfile(public / "policy", policy)
        return ("--from-tiles", str(public), "--policy", str(policy))

    def copy_of_ledger(self, name: str) -> Path:
        """Return where the public files of a copy are."""
        return self.data / f"ledger-{name}" / "public"

    def _copy(self, alias: str, name: str) -> None:
        if address := self.environment.get(_ADDRESSES[alias]):
            database = urlsplit(address).path.strip("/")
            copy = f"{database}_{name}"
            # Connections that wait in a pool, or come back, would be in the way.
            _administer(address, "ALTER DATABASE {} ALLOW_CONNECTIONS false", database)
            with _server(address) as server:
                server.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = %s",
                    [database],
                )
            _administer(address, "CREATE DATABASE {} TEMPLATE {}", copy, database)
            _administer(address, "ALTER DATABASE {} ALLOW_CONNECTIONS true", database)
            return
        source, target = self.data / _FILES[alias], self._file(alias, name)
        with (
            closing(sqlite3.connect(source)) as original,
            closing(sqlite3.connect(target)) as kept,
        ):
            original.backup(kept)

    def _put_back(self, alias: str, name: str) -> None:
        if address := self.environment.get(_ADDRESSES[alias]):
            database = urlsplit(address).path.strip("/")
            _administer(address, "DROP DATABASE {} WITH (FORCE)", database)
            _administer(
                address,
                "CREATE DATABASE {} TEMPLATE {}",
                database,
                f"{database}_{name}",
            )
            return
        path = self.data / _FILES[alias]
        for tail in ("-wal", "-shm"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        shutil.copyfile(self._file(alias, name), path)

    def _file(self, alias: str, name: str) -> Path:
        return self.data / f"{name}-{_FILES[alias]}"


def _server(address: str) -> "psycopg.Connection[Any]":
    admin = urlsplit(address)._replace(path="/postgres").geturl()
    return psycopg.connect(admin, autocommit=True)


def _administer(address: str, statement: LiteralString, *names: str) -> None:
    with _server(address) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
