"""The servers of the tests: real, started on demand, gone afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests import postgres as postgres_server
from tests import waiting

_REPORT = """
import json, os, signal
from pathlib import Path
from tests import servers

def report(**more):
    facts = {"base": str(servers.BASE), "environment": dict(os.environ), **more}
    Path(os.environ["REPORT_TO"]).with_suffix(f".{os.getpid()}").write_text(
        json.dumps(facts)
    )
"""
_FOREVER = """
def test_servers_run(postgres, valkey):
    pid = (servers.BASE / "pg" / "data" / "postmaster.pid").read_text().split()[0]
    report(postgres=postgres, pid=int(pid))
    signal.pause()
"""
_PURE = """
def test_pure():
    report(started=[path.name for path in servers.BASE.iterdir()])

def test_pure_too():
    report(started=[path.name for path in servers.BASE.iterdir()])
"""
_GIVEN = """
def test_given(postgres, valkey):
    report(postgres=postgres, started=[path.name for path in servers.BASE.iterdir()])
"""


def _start(
    folder: Path, body: str, *options: str, **variables: str
) -> "subprocess.Popen[bytes]":
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_inner.py").write_text(_REPORT + body)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"}
    }
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.servers"),
            *("-p", "no:django", "-p", "no:valkey", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), *options),
        ],
        cwd=folder,
        env={**environment, "REPORT_TO": str(folder / "report"), **variables},
    )


def _reports(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("report.*"))]


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_postgres_answers_at_the_address_in_the_environment(postgres: str) -> None:
    with psycopg.connect(postgres.replace("/gemmule", "/postgres")) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
    assert row is not None
    assert int(row[0]) >= 150_000


def test_valkey_answers_and_never_evicts(valkey: str) -> None:
    path = valkey.removeprefix("redis+socket://").partition("?")[0]
    with redis.Redis(unix_socket_path=path) as client:
        assert client.config_get("maxmemory-policy") == {
            "maxmemory-policy": "noeviction"
        }


def test_pure_tests_start_no_server(tmp_path: Path) -> None:
    assert _start(tmp_path, _PURE).wait() == 0
    (report,) = _reports(tmp_path)
    assert report["started"] == []
    assert not Path(report["base"]).exists()


def test_every_worker_of_xdist_has_servers_of_its_own(tmp_path: Path) -> None:
    assert _start(tmp_path, _PURE, "-n", "2", "--dist", "each").wait() == 0
    first, second = _reports(tmp_path)
    for name in ("DATABASE_URL", "VAULT_DATABASE_URL", "REDIS_URL", "GEMMULE_DATA_DIR"):
        values = {
            first["environment"][name],
            second["environment"][name],
            os.environ[name],
        }
        assert len(values) == 3, name


def test_servers_named_in_the_environment_are_used(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://me@db.example.org/mine?sslmode=require",
        "REDIS_URL": "redis://queue.example.org/1",
        "TESTS_OWN_SERVERS": "",
    }
    environment = {**given, "VAULT_DATABASE_URL": ""}
    assert _start(tmp_path, _GIVEN, **environment).wait() == 0
    (report,) = _reports(tmp_path)
    assert report["postgres"] == given["DATABASE_URL"]
    assert report["started"] == []
    assert report["environment"]["VAULT_DATABASE_URL"] == (
        "postgresql://me@db.example.org/mine_vault?sslmode=require"
    )


def test_servers_die_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    run = _start(tmp_path, _FOREVER)
    (report,) = waiting.until(lambda: _reports(tmp_path), what="the servers")
    assert _is_alive(report["pid"])
    run.send_signal(signal.SIGKILL)
    run.wait()
    waiting.until(lambda: not _is_alive(report["pid"]), what="the end of PostgreSQL")
    socket = Path(report["base"]) / "valkey.sock"
    waiting.until(lambda: not _answers(socket), what="the end of Valkey")
    shutil.rmtree(report["base"])


def _answers(path: Path) -> bool:
    with redis.Redis(unix_socket_path=str(path)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def test_committed_rows_survive_a_kill_of_a_durable_server(tmp_path: Path) -> None:
    base = Path(os.environ["GEMMULE_DATA_DIR"]).parent / f"durable-{os.getpid()}"
    address = f"host={postgres_server.socket_directory(base)} user=app dbname=postgres"
    with postgres_server.running(base, durable=True) as pid:
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE act (id int)")
            connection.execute("INSERT INTO act VALUES (1)")
        os.kill(pid, signal.SIGKILL)
    with (
        postgres_server.running(base, durable=True),
        psycopg.connect(address) as connection,
    ):
        assert connection.execute("SELECT id FROM act").fetchall() == [(1,)]
