"""Empty ledgers on a database of their own, durable as in production, for campaigns.

PostgreSQL is that of the tests' wheel, with fsync on; SQLite as the embedded default
has it. A campaign measures and kills processes of its own, which read where the
database is from their environment.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Literal, get_args

import psycopg

from tests import postgres

Backend = Literal["postgresql", "sqlite"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)

# Each writer has one to the ledger and one to the vault.
_CONNECTIONS = 200
_ROOT = Path(__file__).parent.parent


@dataclass(slots=True)
class Database:
    """Where a ledger lies: the environment of a process that uses it.

    `server` is the process id of PostgreSQL, which a campaign may kill.
    """

    backend: Backend
    folder: Path
    environment: dict[str, str]
    server: int | None = None

    def run(self, module: str, *arguments: str | Path | int) -> str:
        """Run a module of the campaign on this ledger; return what it printed."""
        with (self.folder / "log").open("a") as log:
            done = subprocess.run(
                [sys.executable, "-m", module, *map(str, arguments)],
                env=self.environment,
                cwd=_ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"{module} failed with {done.returncode}:\n{self.log()}")
        return done.stdout

    def start(self, module: str, *arguments: str | Path | int) -> "Popen[str]":
        """Start a module of the campaign on this ledger, beside others.

        What it says goes to the file `log`: losing the server is loud.
        """
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                env=self.environment,
                cwd=_ROOT,
                stdout=log,
                stderr=log,
                text=True,
            )

    def log(self) -> str:
        """Return the end of what the started processes said."""
        path = self.folder / "log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""


@contextmanager
def fresh(
    backend: Backend, *, whole: bool = False, **variables: str
) -> Iterator[Database]:
    """Make an empty ledger, or a `whole` site, on a server for the block's time."""
    with tempfile.TemporaryDirectory(prefix="gm-") as name:
        folder = Path(name)
        # PostgreSQL runs as nobody under root, and must get through to its folder.
        folder.chmod(0o711)
        made = Database(backend, folder, _environment(folder, backend, variables))
        with running(made):
            if backend == "postgresql":
                _create(folder)
            for alias in ("default", "vault"):
                apps = () if whole else ("ledger",)
                made.run("django", "migrate", *apps, "-v", "0", "--database", alias)
            yield made


@contextmanager
def running(database: Database) -> Iterator[None]:
    """Run the server of a ledger, also again after it was killed."""
    if database.backend == "sqlite":
        yield
        return
    with postgres.running(
        database.folder / "pg", durable=True, connections=_CONNECTIONS
    ) as pid:
        database.server = pid
        yield


def _environment(
    folder: Path, backend: Backend, variables: dict[str, str]
) -> dict[str, str]:
    site = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GEMMULE_") and not name.endswith("DATABASE_URL")
    }
    site |= {
        "DJANGO_SETTINGS_MODULE": "gemmule.settings",
        "GEMMULE_MODE": "embedded",
        "GEMMULE_DATA_DIR": str(folder / "site"),
        # A script's own folder is not on the path: `benchmarks/ledger.py` is no room.
        "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_ROOT / "platform")]),
        **variables,
    }
    if backend == "postgresql":
        host = str(postgres.socket_directory(folder / "pg")).replace("/", "%2F")
        site["DATABASE_URL"] = f"postgresql://app@{host}/gemmule"
        site["VAULT_DATABASE_URL"] = f"postgresql://app@{host}/gemmule_vault"
    return site


def _create(folder: Path) -> None:
    socket = postgres.socket_directory(folder / "pg")
    with psycopg.connect(
        host=str(socket), user="app", dbname="postgres", autocommit=True
    ) as connection:
        for name in ("gemmule", "gemmule_vault"):
            connection.execute(f"CREATE DATABASE {name}".encode())
