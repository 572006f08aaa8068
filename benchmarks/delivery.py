"""Compare downloads through the gate with downloads without it, on one real site.

    uv run benchmarks/delivery.py [--readers 50] [--megabytes 32] [--rounds 5]

One release on PostgreSQL with fsync on, two gunicorn servers of the same settings: one
is the site, the other leaves the gate out. All readers read at once, first from the
one, then from the other, and so on. Prints a Markdown table; exits 1 when the gated
rate is below 80 % of the ungated one.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from benchmarks import databases, readers
from benchmarks.databases import Database
from gemmule.demo import leash
from tests import waiting

_TO_REACH = 0.8
_HEAD = """\
| | rate (median) | of ungated | server CPU per GB | database CPU per GB \
| gate per chunk, median | p95 |
| --- | --- | --- | --- | --- | --- | --- |"""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Server:
    """A gunicorn server and what was measured of it."""

    port: int
    process: "Popen[bytes]"
    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    database_cpu_s: float = 0.0
    gigabytes: float = 0.0


def measure(
    server: Server, database: Database, told: dict[str, str], *, count: int, size: int
) -> None:
    """Let all readers read once from a server."""
    assert database.server is not None, "PostgreSQL is a process"
    before = _cpu(server.process.pid), _cpu(database.server)
    taken = readers.take(
        server.port, told["path"], told["token"], readers=count, size=size
    )
    server.rates.append(taken.rate)
    server.times += _times(server.port)
    server.cpu_s += _cpu(server.process.pid) - before[0]
    server.database_cpu_s += _cpu(database.server) - before[1]
    server.gigabytes += taken.size_bytes / 1e9


def report(gated: Server, ungated: Server) -> float:
    """Print the table; return the share of the ungated rate that is reached."""
    print(_HEAD)
    base = statistics.median(ungated.rates)
    for name, one in (("ungated", ungated), ("gated", gated)):
        rate = statistics.median(one.rates)
        times = sorted(one.times)
        p95 = times[int(len(times) * 0.95)]
        print(
            f"| {name} | {rate:,.0f} MB/s | {rate / base:.0%} "
            f"| {one.cpu_s / one.gigabytes:.2f} s "
            f"| {one.database_cpu_s / one.gigabytes:.2f} s "
            f"| {1000 * statistics.median(times):.2f} ms | {1000 * p95:.2f} ms |"
        )
    return statistics.median(gated.rates) / base


@contextmanager
def serving(database: Database, gate: str) -> Iterator[Server]:
    """Run the site as the demo and the documentation do, with the gate on or off."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        handle, port = listener.fileno(), listener.getsockname()[1]
        process = leash.start(
            [
                *(sys.executable, "-m", "gunicorn", "benchmarks.gating:application"),
                *("--bind", f"fd://{handle}", "--worker-class", "gthread"),
                *("--workers", "1", "--threads", "64", "--no-control-socket"),
            ],
            log=database.folder / f"{gate}.log",
            environment={**database.environment, "GATE": gate},
            when_parent_dies=signal.SIGKILL,
            cwd=Path.cwd(),
            pass_fds=(handle,),
        )
        try:
            waiting.until(lambda: _times(port) == [], what="gunicorn", timeout_s=60)
            yield Server(port=port, process=process)
        finally:
            leash.kill_group(process)


def _times(port: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/benchmark/times")
        found: list[float] = json.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()


def _cpu(leader: int) -> float:
    """Return the processor seconds of a process and of its children, dead or alive."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # Gone meanwhile.
        if int(stat.parent.name) == leader:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == leader:
            total += sum(map(int, fields[11:13]))
    return total / _TICKS


def main() -> int:
    """Run the benchmark; return the status to exit with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--megabytes", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--to-reach", type=float, default=_TO_REACH)
    options = parser.parse_args()
    size = options.megabytes * 1_000_000
    with databases.fresh("postgresql", whole=True) as database:
        told = json.loads(database.run("benchmarks.sealing", size))
        with serving(database, "on") as gated, serving(database, "off") as ungated:
            # Once unmeasured: caches, the first connections.
            for server in (gated, ungated):
                readers.take(
                    server.port, told["path"], told["token"], readers=2, size=size
                )
                _times(server.port)
            for _ in range(options.rounds):
                for server in (gated, ungated):
                    measure(server, database, told, count=options.readers, size=size)
            print(
                f"{options.readers} downloads at once of {options.megabytes} MB, "
                f"{options.rounds} rounds\n"
            )
            share = report(gated, ungated)
    return 0 if share >= options.to_reach else 1


if __name__ == "__main__":
    sys.exit(main())
