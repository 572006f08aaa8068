"""Kill writers of the ledger at named steps, and PostgreSQL itself under load.

    uv run benchmarks/kill_ledger.py [--kills 120] [--servers 3] [--backend sqlite]

Nothing that was acknowledged may be lost, nothing stand twice, no gap, no fork, and
what the log signed on the way must still be signed of it. Prints a Markdown table;
exits 1 when something does not hold.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import json
import os
import random
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import databases, records
from benchmarks.databases import Backend, Database
from tests import waiting
from tests.postgres import PostgresFailed

_HEAD = """\
| what is killed | database | kills | steps | acknowledged | lost | gaps | forks \
| verdict |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
# How much the writers have told before the server is killed, at least.
_UNDER_LOAD = 60
_WRITERS = 4


def kill_writers(backend: Backend, *, kills: int, seed: int) -> bool:
    """Kill writers one after the other; print what the ledger holds then."""
    with databases.fresh(backend) as database:
        told = _told(database)
        died = json.loads(database.run("benchmarks.dying", kills, seed, told))
        for name, count in sorted(died["steps"].items()):
            print(f"{backend}: {count} {name}", file=sys.stderr)
        return _report("a writer", database, died["kills"], str(len(died["steps"])))


def kill_servers(*, kills: int, seed: int) -> bool:
    """Kill PostgreSQL under load and start it again at once, some times."""
    chance = random.Random(seed)
    holds = True
    with databases.fresh("postgresql") as database, ExitStack() as servers:
        told = _told(database)
        for number in range(kills):
            more = chance.randrange(_UNDER_LOAD)
            _kill_under_load(database, told, seed=seed + number, more=more)
            servers.enter_context(_started_again(database))
            holds = _verdict(database)["holds"] and holds
        return _report("PostgreSQL", database, kills, "under load") and holds


def _kill_under_load(database: Database, told: Path, *, seed: int, more: int) -> None:
    """Let writers write until they were told some events, and kill their server."""
    known = len(records.told(told)[0])
    writers = [
        database.start("benchmarks.writing", _WRITERS, 10_000, seed + number, told)
        for number in range(2)
    ]
    waiting.until(
        lambda: len(records.told(told)[0]) >= known + _UNDER_LOAD + more,
        what="acknowledged events",
        timeout_s=60,
    )
    assert database.server is not None, "PostgreSQL is a process"
    os.kill(database.server, signal.SIGKILL)
    # Until it is reaped it counts as running, and no other one starts.
    os.waitpid(database.server, 0)
    # Each found its connection gone, and stopped as one that was never answered.
    stopped = [writer.wait(timeout=60) for writer in writers]
    assert stopped == [1, 1], f"the writers ended with {stopped}\n{database.log()}"


@contextmanager
def _started_again(database: Database) -> Iterator[None]:
    """Start the server again as soon as those it left behind let go of the memory."""
    deadline = time.monotonic() + 30
    while True:
        with ExitStack() as server:
            try:
                server.enter_context(databases.running(database))
            except PostgresFailed:
                if time.monotonic() > deadline:
                    raise
                continue
            yield
            return


def _told(database: Database) -> Path:
    folder = database.folder / "told"
    folder.mkdir()
    return folder


def _verdict(database: Database) -> dict[str, Any]:
    notes = database.folder / "notes.json"
    verdict: dict[str, Any] = json.loads(
        database.run("benchmarks.checking", database.folder / "told", notes)
    )
    for finding in verdict["findings"]:
        print(f"finding: {finding}", file=sys.stderr)
    return verdict


def _report(what: str, database: Database, kills: int, steps: str) -> bool:
    verdict = _verdict(database)
    print(
        f"| {what} | {database.backend} | {kills} | {steps} "
        f"| {verdict['acknowledged']} | {verdict['lost']} | {verdict['gaps']} "
        f"| {verdict['forks']} | {'holds' if verdict['holds'] else 'BROKEN'} |",
        flush=True,
    )
    return bool(verdict["holds"])


def main() -> int:
    """Run the campaign; return the status to exit with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=120, help="on each database")
    parser.add_argument("--servers", type=int, default=3, help="kills of PostgreSQL")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--backend", choices=databases.BACKENDS, action="append")
    options = parser.parse_args()
    print(f"seed {options.seed}\n\n{_HEAD}", flush=True)
    backends: list[Backend] = options.backend or list(databases.BACKENDS)
    holds = True
    if options.kills:
        for backend in backends:
            holds &= kill_writers(backend, kills=options.kills, seed=options.seed)
    if options.servers and "postgresql" in backends:
        holds &= kill_servers(kills=options.servers, seed=options.seed)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
