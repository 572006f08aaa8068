"""Put events on the ledger from processes that are killed at every step of the way.

    python -m benchmarks.dying KILLS SEED FOLDER

A step is the start or the end of a statement, a commit, an fsync or a rename; its name
says of what. One event is traced first, then each process in turn puts some events on
the ledger and is killed, with SIGKILL, at the next step of that list, while another
one writes beside it. Prints how often each named step was the last.
"""

import json
import os
import random
import re
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import django

django.setup()

from django.db import connections, transaction  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.utils import timezone  # noqa: E402

from ledger import services  # noqa: E402

Step = Callable[[str], None]

# What a statement is of: a table, or a lock of PostgreSQL's.
_OF = re.compile(r'(?:(?:FROM|INTO|UPDATE) "|SELECT (?=pg_))(\w+)')


def main() -> None:
    """Kill as often as asked, and print the names of the steps."""
    kills, seed = map(int, sys.argv[1:3])
    folder = Path(sys.argv[3])
    chance = random.Random(seed)
    _write(folder / "first.txt", 2)  # The keys and the genesis are made.
    steps = _traced(folder)
    order = list(range(len(steps)))
    chance.shuffle(order)
    deaths: Counter[str] = Counter()
    for number in range(kills):
        at = order[number % len(order)]
        survivor = _fork(partial(_write, folder / f"s{number}.txt", 3))
        mark = folder / f"death-{number}"
        told = folder / f"d{number}.txt"
        dying = _fork(partial(_die, told, mark, at=at, before=chance.randrange(3)))
        assert _ended(survivor) == 0
        code = _ended(dying)
        assert code == -signal.SIGKILL, f"kill {number} came to an end with {code}"
        deaths[mark.read_text()] += 1
    print(json.dumps({"kills": sum(deaths.values()), "steps": deaths}))


def _write(told: Path, count: int) -> None:
    with told.open("a", buffering=1, encoding="ascii") as lines:
        for _ in range(count):
            _put(lines)


def _put(lines: TextIO) -> None:
    event = uuid.uuid4()
    with transaction.atomic():
        services.append(
            type="role.granted",
            pub={"role": "steward"},
            body={"told": True},
            event=event,
            now=timezone.now(),
        )
    lines.write(f"+ {event}\n")


def _die(told: Path, mark: Path, *, at: int, before: int) -> None:
    """Put events on the ledger and be killed at a step, of a later one if need be.

    Who finds its event sequenced by the other process has fewer steps to go.
    """
    _write(told, before)
    passed = 0

    def step(name: str) -> None:
        nonlocal passed
        if passed >= at:
            mark.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    _watch(step)
    _write(told, at + 1)


def _traced(folder: Path) -> list[str]:
    """Return the steps that one event takes with nobody beside it."""
    path = folder / "trace"

    def trace() -> None:
        names: list[str] = []
        _watch(names.append)
        _write(folder / "traced.txt", 1)
        path.write_text(json.dumps(names))

    assert _ended(_fork(trace)) == 0
    found: list[str] = json.loads(path.read_text())
    return found


def _fork(work: Callable[[], None]) -> int:
    """Run the work in a child of its own connections; return its process id."""
    connections.close_all()
    if child := os.fork():
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        # Nothing of the parent's is flushed or torn down a second time.
        os._exit(status)


def _ended(child: int) -> int:
    """Wait for a child; return its exit code, below 0 for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _watch(step: Step) -> None:
    """Call `step` before and after all that may be found half done after a crash."""
    for alias in connections:
        connections[alias].execute_wrappers.append(_statement(alias, step))
    for owner, name in (
        (BaseDatabaseWrapper, "_commit"),
        (os, "fsync"),
        (os, "replace"),
        (os, "link"),
    ):
        setattr(owner, name, _around(getattr(owner, name), name.strip("_"), step))


def _statement(alias: str, step: Step) -> Callable[..., Any]:
    def run(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        of = _OF.search(sql)
        name = " ".join([alias, sql.split()[0], *([of[1]] if of else [])])
        step(f"before {name}")
        done = execute(sql, params, many, context)
        step(f"after {name}")
        return done

    return run


def _around(work: Callable[..., Any], name: str, step: Step) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        step(f"before {name}")
        done = work(*args, **kwargs)
        step(f"after {name}")
        return done

    return run


if __name__ == "__main__":
    main()
