"""Measure the release engine against what a careful bioinformatician types by hand.

    uv run benchmarks/release_engine.py [--quick] [--prepare] [--rounds N]
                                        [--only c2504s.J1 ...] [--intake] [--check]

Whole jobs, from the start of the process to the encrypted files: ours (the consented
subset, INFO counted anew, nothing of others left, BGZF, index, Crypt4GH, digests) and
`hand.sh` (bcftools, index, crypt4gh), A B A B, medians of the ratios. `--quick` runs
c2504s J1 and r500 J1, prints one line, and fails below their targets. `--check` holds
every cut against the engine that reads text. Needs Debian's bcftools and tabix.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import engine_inputs, engine_runs
from benchmarks.engine_inputs import JOBS, Inputs, run
from benchmarks.engine_runs import Run
from genomics import spare

# Set and job -> the ratio to reach in a cold process, and in a warm one.
_TARGETS: dict[tuple[str, str], tuple[float, float | None]] = {
    ("c2504", "J1"): (10, None),
    ("c2504", "J2"): (10, None),
    ("c2504", "J3"): (5, None),
    ("c2504", "J4"): (12, None),
    ("c2504s", "J1"): (6, 10),
    ("c2504s", "J2"): (9, 10),
    ("c2504s", "J3"): (5, None),
    ("c2504s", "J4"): (5, 12),
    ("c10k", "J1"): (15, None),
    ("r500", "J1"): (5, None),
    ("r500", "J2"): (8, None),
    ("r500", "J3"): (3, None),
    ("r500", "J4"): (6, None),
}
_QUICK = (("c2504s", "J1"), ("r500", "J1"))
# Set -> how many times as long as bcftools intake may take.
_INTAKE_TARGETS = {"c2504s": 2.0}
_HEAD = """\
| job | by hand | ours, cold | ratio | to reach | warm | to reach | CPU | peak | size |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
_INTAKE_HEAD = """\
| intake | bcftools view -Ob | ours | ratio | to reach |
| --- | --- | --- | --- | --- |"""


def main() -> int:
    """Run what was asked for; return 1 when a target was missed."""
    options = _options()
    chosen = list(_TARGETS)
    if options.only:
        chosen = [each for each in _TARGETS if ".".join(each) in options.only]
    if options.quick:
        chosen = list(_QUICK)
    names = list(_INTAKE_TARGETS) if options.intake else [name for name, _ in chosen]
    ready = {name: Inputs(name, options.folder) for name in dict.fromkeys(names)}
    for inputs in ready.values():
        inputs.prepare()
    if options.prepare:
        return 0
    with tempfile.TemporaryDirectory(prefix="gemmule-bench-") as scratch:
        bench = _Bench(ready, Path(scratch), options.rounds)
        if options.quick:
            return bench.quick()
        if options.intake:
            return bench.intake(names)
        return bench.table(chosen, is_checked=options.check)


class _Bench:
    def __init__(self, ready: dict[str, Inputs], scratch: Path, rounds: int) -> None:
        self._ready = ready
        self._scratch = scratch
        self._rounds = rounds

    def quick(self) -> int:
        """Print one line of ratios."""
        told, missed = [], False
        for name, job in _QUICK:
            ratio = _ratio(self._beside_hand(name, job, engine_runs.cold))
            told.append(f"{name} {job} {ratio:.1f}x")
            missed |= ratio < _TARGETS[name, job][0]
        print(", ".join(told))
        return int(missed)

    def table(self, chosen: list[tuple[str, str]], *, is_checked: bool) -> int:
        """Print a row for each job."""
        print(_HEAD, flush=True)
        missed = False
        for name, job in chosen:
            goal, warm_goal = _TARGETS[name, job]
            inputs = self._ready[name]
            if is_checked:
                engine_runs.check_against_text(inputs, job, self._scratch)
            runs = self._beside_hand(name, job, engine_runs.cold)
            with spare.kept():
                warm = self._beside_hand(name, job, engine_runs.warm)
            ratio, warm_ratio = _ratio(runs), _ratio(warm)
            missed |= ratio < goal or warm_ratio < (warm_goal or 0)
            hand, ours = (_median_run(each) for each in zip(*runs, strict=True))
            peak = engine_runs.peak_bytes(inputs, job, self._scratch)
            cells = (
                f"{name} {job}: {JOBS[job]}",
                f"{hand.seconds:.2f} s",
                f"{ours.seconds:.2f} s",
                f"**{ratio:.1f}x**",
                f">= {goal:g}x",
                f"**{warm_ratio:.1f}x**",
                f">= {warm_goal:g}x" if warm_goal else "-",
                f"{hand.cpu_seconds / ours.cpu_seconds:.1f}x",
                f"{peak / 1e6:.0f} MB",
                f"{ours.bytes / hand.bytes:.2f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)
        return int(missed)

    def intake(self, names: Sequence[str]) -> int:
        """Print how long intake takes beside `bcftools view -Ob`."""
        print(_INTAKE_HEAD, flush=True)
        missed = False
        for name in names:
            inputs, goal = self._ready[name], _INTAKE_TARGETS[name]
            bcf, store = self._scratch / "view.bcf", self._scratch / "store"

            def view(inputs: Inputs = inputs, bcf: Path = bcf) -> None:
                run("bcftools", "view", "-Ob", "-o", bcf, inputs.vcf)

            def take_in(inputs: Inputs = inputs, store: Path = store) -> None:
                inputs.take_in(store)

            pairs = [
                (engine_runs.timed(view, bcf), engine_runs.timed(take_in, store))
                for _ in range(self._rounds)
            ]
            ratio = 1 / _ratio(pairs)
            missed |= ratio > goal
            theirs, ours = (_median_run(each) for each in zip(*pairs, strict=True))
            print(
                f"| {name} | {theirs.seconds:.2f} s | {ours.seconds:.2f} s "
                f"| **{ratio:.1f}x** | <= {goal:g}x |",
                flush=True,
            )
        return int(missed)

    def _beside_hand(
        self, name: str, job: str, ours: Callable[[Inputs, str, Path], Run]
    ) -> list[tuple[Run, Run]]:
        inputs = self._ready[name]
        return [
            (
                engine_runs.by_hand(inputs, job, self._scratch),
                ours(inputs, job, self._scratch),
            )
            for _ in range(self._rounds)
        ]


def _ratio(pairs: list[tuple[Run, Run]]) -> float:
    """Return the median of the ratios, each of two runs that followed each other."""
    return statistics.median(first.seconds / second.seconds for first, second in pairs)


def _median_run(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        runs[0].bytes,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure the release engine")
    parser.add_argument("--prepare", action="store_true", help="only make the inputs")
    parser.add_argument("--quick", action="store_true", help="two jobs and one line")
    parser.add_argument("--intake", action="store_true", help="measure intake instead")
    parser.add_argument("--check", action="store_true", help="hold cuts against text's")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each engine")
    jobs = [f"{name}.{job}" for name, job in _TARGETS]
    parser.add_argument("--only", nargs="+", choices=jobs, default=[], metavar="JOB")
    parser.add_argument(
        "--folder",
        type=lambda text: Path(text).resolve(),
        default=engine_inputs.default_folder(),
        help="where the inputs are kept",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
