"""Made-up uploads and jobs by the thousand, each cut held against all oracles.

    uv run benchmarks/differential.py [--examples 5000] [--seed N]

Draws what the tests draw (tests/genomics/generated.py). Prints one row of a Markdown
table; a failing example is shrunk and shown, and the command exits 1.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import secrets
import time

import hypothesis
import pysam
from hypothesis import HealthCheck, Phase

from tests.genomics.differential import check
from tests.genomics.generated import Case, cases

_HEAD = """\
| examples | seed | records taken in | released | genotypes withheld | seconds \
| verdict |
| --- | --- | --- | --- | --- | --- | --- |"""
_TELL_EVERY = 250


def main() -> None:
    """Draw the examples; exit with 1 once one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    drawn = taken = released = withheld = 0

    @hypothesis.seed(options.seed)
    @hypothesis.settings(
        max_examples=options.examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=cases())
    def campaign(case: Case) -> None:
        nonlocal drawn, taken, released, withheld
        result = check(case).result
        drawn += 1
        taken += result.records_in
        released += result.records_out
        withheld += result.genotypes_withheld
        if drawn % _TELL_EVERY == 0:
            told = f"{drawn} of {options.examples} hold"
            print(f"{told}: {taken}, {released}, {withheld}", file=sys.stderr)

    # Of records at POS 0, which it indexes all the same.
    pysam.set_verbosity(0)
    started = time.perf_counter()
    campaign()
    seconds = time.perf_counter() - started
    print(_HEAD)
    print(
        f"| {drawn} | {options.seed} | {taken} | {released} | {withheld} "
        f"| {seconds:.0f} | holds |"
    )


if __name__ == "__main__":
    main()
