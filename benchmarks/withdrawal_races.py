"""Race the end of releases against every way of downloading them.

    uv run benchmarks/withdrawal_races.py [--races 1000] [--backend sqlite] [--seed N]

A donor withdraws, the IRB revokes, or the last day passes, while slow readers take
whole files, ranges and remainders of them by every address that hands out bytes. After
the acknowledgement no chunk may pass the gate. Prints seed and counts as a Markdown
table; exits 1 when one did, or when the readers were not in the midst of it.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import json
import secrets

from benchmarks import databases
from benchmarks.databases import Backend

_HEAD = """\
| database | races | withdrawn, revoked, expired | by each address | chunks passed \
| streams cut short | after the acknowledgement | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def race(backend: Backend, *, races: int, seed: int) -> bool:
    """Run the races on one database; print what was found."""
    with databases.fresh(backend, whole=True) as database:
        found = json.loads(database.run("benchmarks.racing", races, seed))
    holds = found["late"] == 0 and found["cut"] >= races and found["races"] == races
    print(
        f"| {backend} | {found['races']} | {', '.join(map(str, found['kinds']))} "
        f"| {', '.join(map(str, found['ways'].values()))} | {found['passed']} "
        f"| {found['cut']} | {found['late']} | {'holds' if holds else 'BROKEN'} |",
        flush=True,
    )
    return bool(holds)


def main() -> int:
    """Run the campaign; return the status to exit with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=1000, help="on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--backend", choices=databases.BACKENDS, action="append")
    options = parser.parse_args()
    print(f"seed {options.seed}\n\n{_HEAD}", flush=True)
    backends: list[Backend] = options.backend or list(databases.BACKENDS)
    held = [race(one, races=options.races, seed=options.seed) for one in backends]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
