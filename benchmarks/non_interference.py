"""Pairs of call sets that differ in excluded people alone: the same release, each byte.

    uv run benchmarks/non_interference.py [--pairs 1000] [--seed N]

A fifth of the pairs is cut out of real call sets, the others are made up; each is cut
by columns and by text. Prints one row of a Markdown table; exits 1 at the first pair
that differs, with its seed.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import random
import secrets
import time

from tests.genomics.interference import check_pair

_HEAD = """\
| pairs | seed | records released | genotypes withheld | seconds | verdict |
| --- | --- | --- | --- | --- | --- |"""
_TELL_EVERY = 100


def main() -> None:
    """Check the pairs; exit with 1 once one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    released = withheld = 0
    started = time.perf_counter()
    for number in range(options.pairs):
        seed = rng.randrange(1 << 32)
        try:
            result = check_pair(seed).result
        except BaseException:
            print(f"pair {number}: check_pair({seed})", file=sys.stderr)
            raise
        released += result.records_out
        withheld += result.genotypes_withheld
        if (number + 1) % _TELL_EVERY == 0:
            print(f"{number + 1} of {options.pairs} pairs hold", file=sys.stderr)
    seconds = time.perf_counter() - started
    print(_HEAD)
    print(
        f"| {options.pairs} | {options.seed} | {released} | {withheld} "
        f"| {seconds:.0f} | holds |"
    )


if __name__ == "__main__":
    main()
