"""`manage.py demo`, as a person at a terminal meets it."""

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from gemmule.demo import cast
from ledger.tlog.policy import Policy
from tests import waiting
from tests.sites import FreshSite

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


def _demo(
    environment: dict[str, str], *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; for what ends by itself."""
    return subprocess.run(
        [sys.executable, str(MANAGE), "demo", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _running(environment: dict[str, str], *options: str) -> Iterator[str]:
    """Run the command until the block ends, then press Ctrl-C; yield its greeting."""
    command = [sys.executable, str(MANAGE), "demo", "--port", "0", *options]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        greeting = ""
        for line in demo.stdout:
            greeting += line
            if "Ctrl-C" in line:
                break
        try:
            yield greeting
        finally:
            demo.send_signal(signal.SIGINT)
            farewell = demo.stdout.read()
            status = demo.wait(timeout=60)
    assert (status, farewell.strip()) == (0, "Stopped; the data is kept.")


def _address(greeting: str) -> str:
    return greeting.partition("Gemmule is at ")[2].split()[0]


def _institutions(environment: dict[str, str], *added: str) -> set[str]:
    path = Path(environment["GEMMULE_DATA_DIR"]) / "gemmule.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        for name in added:
            database.execute(
                "INSERT INTO accounts_institution (name, ror, country) "
                "VALUES (?, '', 'SE')",
                (name,),
            )
        rows = database.execute("SELECT name FROM accounts_institution")
        return {name for (name,) in rows}


def _policy_file(environment: dict[str, str]) -> Path:
    return Path(environment["GEMMULE_DATA_DIR"]) / "witnesses" / "policy"


def _cosigned_by_both(environment: dict[str, str]) -> int:
    """Return the size of the published checkpoint; 0 while there is none."""
    file = Path(environment["GEMMULE_DATA_DIR"]) / "ledger" / "public" / "checkpoint"
    if not file.exists():
        return 0
    policy = Policy.from_bytes(_policy_file(environment).read_bytes())
    found = policy.check(file.read_bytes())
    assert {each.name for each in found.cosigners} == {"witness1", "witness2"}
    return found.checkpoint.size


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_demo_greets_stops_continues_and_starts_over(fresh_site: FreshSite) -> None:
    environment = fresh_site("sqlite")

    with _running(environment, "--witnesses", "2") as greeting:
        for member in cast.CAST:
            assert member.email in greeting
        assert cast.PASSWORD in greeting
        with urlopen(_address(greeting)) as page:
            assert page.status == 200
        second = _demo(environment)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1, "one line, no traceback"
        assert "already; stop it first" in second.stderr
        size = waiting.until(
            lambda: _cosigned_by_both(environment),
            what="a checkpoint with two cosignatures",
            timeout_s=60,
        )
    policy = _policy_file(environment).read_bytes()
    assert _institutions(environment, "Made by hand") >= {cast.HOSPITAL, "Made by hand"}

    third = _demo(environment, "--witnesses", "3")
    assert third.returncode == 1
    assert "start it with --witnesses 2 or without" in third.stderr

    with _running(environment) as greeting:
        assert "Made by hand" in _institutions(environment)
        assert "is cosigned by all of its witnesses" in greeting
        assert _policy_file(environment).read_bytes() == policy
        assert _cosigned_by_both(environment) >= size

    with _running(environment, "--fresh"):
        institutions = _institutions(environment)
    assert cast.HOSPITAL in institutions
    assert "Made by hand" not in institutions
    assert not _policy_file(environment).exists()


def test_taken_port_is_one_line(fresh_site: FreshSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        answer = _demo(fresh_site("sqlite"), "--port", port)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"CommandError: cannot listen on port {port} (Address already in use); "
        "choose another with --port\n"
    )


def test_directory_of_something_else_is_left_alone(fresh_site: FreshSite) -> None:
    environment = fresh_site("sqlite")
    thesis = Path(environment["GEMMULE_DATA_DIR"]) / "thesis.txt"
    thesis.write_text("unsaved")
    answer = _demo(environment, "--fresh")
    assert answer.returncode == 1
    assert "name an empty directory in GEMMULE_DATA_DIR" in answer.stderr
    assert thesis.read_text() == "unsaved"


def test_witnesses_are_not_made_where_they_would_count_for_nothing(
    fresh_site: FreshSite, tmp_path: Path
) -> None:
    environment = fresh_site("sqlite")
    once = _demo(environment, "--once", str(tmp_path / "out"), "--witnesses", "2")
    assert (once.returncode, once.stderr) == (
        1,
        "CommandError: --witnesses goes with the demo that stays\n",
    )
    other = tmp_path / "policy"
    answer = _demo(
        {**environment, "GEMMULE_LEDGER_POLICY": str(other)}, "--witnesses", "2"
    )
    assert answer.returncode == 1
    assert "names a policy already; unset it" in answer.stderr
    assert not _policy_file(environment).exists()
