"""A whole site on stage, and what can be seen of it from outside."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from gemmule.demo import leash, processes, valkey
from gemmule.demo.visitor import ApiClient
from tests import waiting

_STAGE = Path(__file__).parent / "stage.py"
# Long enough a call set for its release not to fit into the buffers of a connection.
_RECORDS = 24_000
_BUILT_S = 60.0
_MAIL_DOWN = "tests.gemmule.releases.mail_down.EmailBackend"


def children(scratch: Path) -> list[int]:
    """Return the living child processes that work below the scratch folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            folder = (process / "cwd").resolve(strict=True)
        except OSError:
            continue  # Gone meanwhile, or a zombie, or not ours.
        if folder.is_relative_to(scratch):
            found.append(int(process.name))
    return found


def parent_of(pid: int) -> int:
    """Return the process id of the parent."""
    # The name of the program, in brackets, may hold anything.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Stage:
    """A running site with an approved request of Rosa's and unused keys of hers."""

    def __init__(
        self, site: processes.Site, told: Mapping[str, Any], brokers: ExitStack
    ) -> None:
        self.site = site
        self._brokers = brokers
        self.told = told
        self._keys = iter(told["keys"])
        self.folder = processes.data_dir_of(site.environment) / "releases"
        self.api = ApiClient(site.url, told["token"])

    def ask(self) -> str:
        """Ask for a release to a key not used before; return its accession."""
        wanted = {"request": self.told["request"], "key": next(self._keys)}
        return str(self.api.post("/api/v1/releases/", wanted)["accession"])

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the site's database; `%s` stands for a value."""
        address = self.site.environment.get("DATABASE_URL")
        if address:
            with psycopg.connect(address) as connection:
                return connection.execute(statement.encode(), values).fetchall()
        file = self.folder.parent / "gemmule.sqlite3"
        with closing(sqlite3.connect(file, timeout=30)) as lite:
            return lite.execute(statement.replace("%s", "?"), values).fetchall()

    def row(self, accession: str, *columns: str) -> tuple[Any, ...]:
        (found,) = self.query(
            f"SELECT {', '.join(columns)} FROM releases_release WHERE accession = %s",
            accession,
        )
        return found

    def state(self, accession: str) -> str:
        return str(self.row(accession, "state")[0])

    def built(self, accession: str) -> dict[str, Any]:
        """Wait until the release is available; return it as the API shows it."""
        waiting.until(
            lambda: self.state(accession) not in ("requested", "building", "sealed"),
            what="the release",
            timeout_s=_BUILT_S,
        )
        found = self.api.get(f"/api/v1/releases/{accession}/")
        assert found["state"] == "available", found["failure_reason"]
        return found

    def cutting(self, group: int | None = None) -> int:
        """Wait for a child process that cuts, hold it there, return its id.

        One of a worker's that leads this process group, if it is given.
        """

        def look() -> int | None:
            found = children(self.folder / "scratch")
            for pid in found:
                with contextlib.suppress(OSError):  # It has ended meanwhile.
                    parent = parent_of(pid)
                    # Not one that a child has forked to help it.
                    if parent not in found and group in (None, os.getpgid(parent)):
                        os.kill(pid, signal.SIGSTOP)
                        return pid
            return None

        pid = waiting.until(look, what="the cut", timeout_s=_BUILT_S)
        assert pid is not None
        return pid

    def path(self, release: Mapping[str, Any], *, page: bool = False) -> str:
        """Return where the release's variants are downloaded."""
        (name,) = [one["name"] for one in release["files"] if one["role"] == "variants"]
        prefix = "/research/releases" if page else "/api/v1/releases"
        return f"{prefix}/{release['accession']}/files/{name}"

    def stored(self, release: Mapping[str, Any]) -> bytes:
        """Return the variants of the release as they lie in storage."""
        ((path,),) = self.query(
            "SELECT path FROM releases_releasefile WHERE name = %s",
            self.path(release).rpartition("/")[2],
        )
        return (self.folder / str(path)).read_bytes()

    def entries(self) -> Counter[str]:
        """Count the ledger's entries by type."""
        rows = self.query("SELECT data FROM ledger_entry")
        return Counter(json.loads(bytes(data))["type"] for (data,) in rows)

    def check_once(self, accession: str) -> None:
        """Fail unless the release was made once, and nothing else is left of it."""
        # Another release may be between its seal and its place on the ledger.
        waiting.until(
            lambda: (
                self.entries()["data.released"]
                == len(
                    self.query(
                        "SELECT id FROM releases_release WHERE manifest_sha256 <> ''"
                    )
                )
            ),
            what="one entry for each sealed release",
        )
        number, token = self.row(accession, "id", "fencing_token")
        builds = [one.name for one in (self.folder / f"{number:08d}").iterdir()]
        assert builds == [f"{token:04d}"]
        waiting.until(
            lambda: not children(self.folder / "scratch"), what="the child's end"
        )
        waiting.until(
            lambda: not list((self.folder / "scratch").iterdir()),
            what="the next round, which deletes plaintext",
        )
        notices = self.query(
            "SELECT id FROM notices_notice WHERE kind = 'release.available' "
            "AND url LIKE %s",
            f"%{accession}%",
        )
        assert len(notices) == 1
        self.site.manage("verify_ledger")

    def signal_worker(self, number: signal.Signals) -> None:
        """Send a signal to the worker and all of its processes."""
        os.killpg(self.site.pid("worker"), number)

    def messages(self) -> list[bytes]:
        """Return the messages that wait on the broker."""
        with redis.Redis(unix_socket_path=str(self.site.broker.socket)) as client:
            found: Any = client.lrange("celery", 0, -1)
        return list(found)

    def broker_is_blocked(self) -> bool:
        """Tell whether a worker stands at the broker and waits for a message."""
        with redis.Redis(unix_socket_path=str(self.site.broker.socket)) as client:
            found: Any = client.info("clients")
        return bool(found["blocked_clients"])

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        """Kill the broker for the block; afterwards one runs that knows nothing."""
        broker = self.site.broker
        leash.kill_group(broker.process)
        broker.socket.unlink()
        yield
        again = valkey.running(
            self.folder.parent / f"valkey-{len(self.site._brokers)}",
            path=broker.socket,
            durable=False,
        )
        self.site._brokers.append(self._brokers.enter_context(again))


@contextmanager
def staged(
    environment: Mapping[str, str],
    *,
    records: int = _RECORDS,
    apart: int = 50,
    mail: str = _MAIL_DOWN,
) -> Iterator[Stage]:
    """Run a filled site whose mail is down and whose dead builds are soon given up.

    Its records stand `apart` bases from each other.
    """
    with (
        processes.running(
            environment={
                **environment,
                "GEMMULE_RELEASE_LEASE_SECONDS": "2",
                "GEMMULE_EMAIL_BACKEND": mail,
            },
            prepare=(),
            start=(),
        ) as site,
        ExitStack() as brokers,
    ):
        told = subprocess.run(
            [sys.executable, _STAGE, str(records), str(apart)],
            env=site.environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        site.start("web", "worker", "beat")
        yield Stage(site, json.loads(told.stdout), brokers)


class Download:
    """A slow reader: small buffers, so that the server is still sending."""

    def __init__(self, stage: Stage, path: str, *, start: int, etag: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", stage.site.port))
        headers = {
            "Host": f"localhost:{stage.site.port}",
            "Authorization": f"Token {stage.told['token']}",
            "Connection": "close",
        }
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": etag}
        lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._answer = http.client.HTTPResponse(self._socket)
        self._answer.begin()
        self.status = self._answer.status
        self.etag = self._answer.headers.get("ETag", "")
        self.size = int(self._answer.headers.get("Content-Length", 0))

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer when the connection ends before."""
        found = b""
        try:
            while len(found) < size and (piece := self._answer.read(size - len(found))):
                found += piece
        except ConnectionResetError:
            pass  # What a killed server's kernel says.
        return found

    def close(self) -> None:
        self._answer.close()
        self._socket.close()
