"""The supervisor: a whole site comes up, and nothing of it is left behind."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from gemmule.demo import processes
from tests import waiting
from tests.sites import FreshSite

Site = processes.Site

_PROGRAM = """
import json, os
from gemmule.demo import processes

start = tuple(os.environ["START"].split())
with processes.running(environment=os.environ, prepare=(), start=start) as site:
    print(json.dumps({"url": site.url, "broker": site.broker.process.pid}), flush=True)
    site.watch()
"""


def _marked(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "SITE_MARK": uuid.uuid4().hex}


@pytest.fixture
def environment(fresh_site: FreshSite) -> dict[str, str]:
    """Return the environment of a site on SQLite, its processes told by a mark."""
    return _marked(fresh_site("sqlite"))


@pytest.fixture(scope="module")
def site(fresh_site: FreshSite) -> Iterator[Site]:
    """Run one site for all tests that leave its processes up."""
    environment = _marked(fresh_site("sqlite"))
    with processes.running(environment=environment, prepare=()) as running:
        yield running


def _processes_of(environment: dict[str, str]) -> list[int]:
    """Return the ids of all living processes that carry the mark of the site."""
    mark = f"SITE_MARK={environment['SITE_MARK']}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue  # Gone meanwhile, a zombie, or not ours.
    return found


def _has_ended(process: Path) -> bool:
    """Return whether the process is gone, or waits for somebody to look at it."""
    try:
        stat = (process / "stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def _status(site: Site) -> int:
    with urlopen(site.url) as answer:
        return int(answer.status)


def test_every_part_of_the_site_answers(site: Site) -> None:
    assert _status(site) == 200
    assert processes.worker_answers(site.broker.url)
    site.check()


def test_site_is_found_on_localhost_only(site: Site) -> None:
    assert site.url == f"http://localhost:{site.port}"
    listening = Path("/proc/net/tcp").read_text()
    # Little-endian hexadecimal: 127.0.0.1, and never 0.0.0.0.
    assert f" 0100007F:{site.port:04X} " in listening
    assert f" 00000000:{site.port:04X} " not in listening


def test_killed_worker_leaves_no_child_and_comes_back(site: Site) -> None:
    before = set(_processes_of(site.environment))
    site.kill("worker")
    killed = before - set(_processes_of(site.environment))
    assert len(killed) == 3, "the worker and the two processes of its pool"
    site.start("worker")
    assert processes.worker_answers(site.broker.url)


def test_killed_web_server_comes_back_at_the_same_address(site: Site) -> None:
    url = site.url
    site.kill("web")
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=0.2)
    connection.request("GET", "/", headers={"Host": f"localhost:{site.port}"})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    site.start("web")
    assert site.url == url
    assert _status(site) == 200


def test_site_goes_on_with_an_emptied_broker(site: Site) -> None:
    site.broker.empty()
    assert processes.worker_answers(site.broker.url)
    assert _status(site) == 200


def test_process_that_dies_is_named_and_not_started_again(site: Site) -> None:
    os.kill(site.pid("beat"), signal.SIGKILL)
    with pytest.raises(processes.ProcessDied, match="beat ended with status -9"):
        site.watch()
    with pytest.raises(processes.ProcessDied, match=r"beat\.log ends"):
        site.check()
    site.stop("beat")
    site.start("beat")


@pytest.mark.parametrize(
    ("number", "start", "count"),
    [
        # Web server and its child, worker and its pool of two, beat.
        (signal.SIGINT, "web worker beat", 6),
        (signal.SIGKILL, "web worker beat", 6),
        (signal.SIGTERM, "web", 2),
        (signal.SIGHUP, "web", 2),
    ],
    ids=["SIGINT", "SIGKILL", "SIGTERM", "SIGHUP"],
)
def test_nothing_is_left_behind(
    environment: dict[str, str], number: signal.Signals, start: str, count: int
) -> None:
    # As `... &` starts it in a script, with SIGINT ignored.
    supervisor = subprocess.Popen(
        ["sh", "-c", 'trap \'\' INT; exec "$0" -c "$1"', sys.executable, _PROGRAM],
        env={**environment, "START": start},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert supervisor.stdout is not None
    with supervisor:
        started = json.loads(supervisor.stdout.readline())
        with urlopen(started["url"]) as answer:
            assert answer.status == 200
        # The broker has an environment of its own, without the mark.
        broker = Path(f"/proc/{started['broker']}")
        assert broker.exists()
        assert len(_processes_of(environment)) == 1 + count
        supervisor.send_signal(number)
        supervisor.wait(timeout=40)
    if number is signal.SIGKILL:
        waiting.until(
            lambda: not _processes_of(environment) and _has_ended(broker),
            what="the end of every process",
        )
    else:
        assert _processes_of(environment) == []
        assert not broker.exists()


def test_nothing_is_left_behind_when_the_block_raises(
    environment: dict[str, str],
) -> None:
    brokers = []

    def fail(site: Site) -> None:
        brokers.append(site.broker)
        raise ZeroDivisionError

    with (
        pytest.raises(ZeroDivisionError),
        processes.running(environment=environment, prepare=(), start=()) as site,
    ):
        fail(site)
    assert _processes_of(environment) == []
    assert [broker.process.returncode for broker in brokers] == [0]


def test_taken_port_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(processes.PortTaken, match=f"port {port} .*choose another"),
            processes.running(environment=environment, port=port),
        ):
            pass
    assert _processes_of(environment) == []


def test_failed_preparation_is_named_and_starts_nothing(
    environment: dict[str, str],
) -> None:
    with (
        pytest.raises(processes.CommandFailed, match="`migrate nowhere` ended"),
        processes.running(environment=environment, prepare=(("migrate", "nowhere"),)),
    ):
        pass
    assert _processes_of(environment) == []


def test_process_that_cannot_start_shows_its_log(environment: dict[str, str]) -> None:
    broken = {**environment, "GEMMULE_RELEASE_MIN_DONORS": "many"}
    with (
        pytest.raises(processes.ProcessDied, match="must be a whole number"),
        processes.running(environment=broken, prepare=(), start=("worker",)),
    ):
        pass
    assert _processes_of(environment) == []
