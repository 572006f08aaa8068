"""Concurrent writers with random rollbacks: no gap in the log, each event exactly once.

    uv run benchmarks/writers.py [--writers 64] [--events 200] [--backend sqlite]

Every writer sequences what it wrote, as every web process does; one checkpoint is
signed in the end, as where a process of its own publishes. Prints one row of a Markdown
table for each backend; exits 1 when one does not hold.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import json
import secrets

from benchmarks import databases
from benchmarks.databases import Backend

# Threads of one process wait for one lock of the interpreter; production has several.
_PROCESSES = 4
_HEAD = """\
| database | writers x events | acknowledged | rolled back | lost | revived | gaps \
| rate | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def campaign(backend: Backend, *, writers: int, events: int, seed: int) -> bool:
    """Run the writers on an empty ledger; print what came of it."""
    with databases.fresh(backend) as database:
        told = database.folder / "told"
        told.mkdir()
        processes = [
            database.start(
                "benchmarks.writing",
                writers // _PROCESSES,
                events,
                seed + number,
                told,
                "--sequence-only",
            )
            for number in range(_PROCESSES)
        ]
        failed = sum(bool(process.wait()) for process in processes)
        seconds = max(
            float(each.read_text(encoding="ascii")) for each in told.glob("*.seconds")
        )
        if failed:
            print(database.log(), file=sys.stderr)
        verdict = json.loads(database.run("benchmarks.checking", told))
    expected = writers // _PROCESSES * _PROCESSES * events
    whole = verdict["acknowledged"] + verdict["rolled_back"] == expected
    holds = verdict["holds"] and whole and not failed
    accepted = verdict["acknowledged"]
    print(
        f"| {backend} | {writers} x {events} | {accepted} | {verdict['rolled_back']} "
        f"| {verdict['lost']} | {verdict['revived']} | {verdict['gaps']} "
        f"| {accepted / seconds:.0f}/s | {'holds' if holds else 'BROKEN'} |"
    )
    for finding in verdict["findings"]:
        print(f"finding: {finding}", file=sys.stderr)
    return holds


def main() -> int:
    """Run the campaign on each backend; return the status to exit with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--backend", choices=databases.BACKENDS, action="append")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(_HEAD)
    results = [
        campaign(
            backend,
            writers=options.writers,
            events=options.events,
            seed=options.seed,
        )
        for backend in options.backend or databases.BACKENDS
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
