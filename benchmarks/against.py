"""Time the release engine against that of another checkout: A B A B, whole processes.

    uv run benchmarks/against.py CHECKOUT [--rounds N] [--only c2504s.J1 ...]

CHECKOUT is a folder with another version of Gemmule and its own `.venv` (`uv sync`).
Each version takes the inputs in by itself, into its own folder, and then cuts them in
a new process, in turn with the other. Prints medians of seconds and of the ratios;
a ratio above 1 says that this version takes longer.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks import engine_inputs, engine_runs

_HERE = Path(__file__).parent.parent
_JOBS = [
    f"{name}.{job}"
    for name in ("c2504", "c2504s", "r500")
    for job in engine_inputs.JOBS
]
# Run in each checkout, by its own code: the form of a job differs between versions.
_PREPARE = """
import sys
from pathlib import Path
from benchmarks.engine_inputs import Inputs
Inputs(sys.argv[1], Path(sys.argv[2])).prepare()
"""
_WRITE_JOB = """
import json, sys
from pathlib import Path
from benchmarks.engine_inputs import Inputs
job = Inputs(sys.argv[1], Path(sys.argv[2])).subset_job(sys.argv[3], Path(sys.argv[4]))
print(json.dumps(job.to_json()))
"""


def main() -> None:
    """Print a row for each job."""
    options = _options()
    checkouts = {"this": _HERE, "other": options.checkout}
    shared = engine_inputs.default_folder()
    folders = {which: shared / f"against-{which}" for which in checkouts}
    names = list(dict.fromkeys(each.partition(".")[0] for each in options.only))
    for name in names:
        engine_inputs.Inputs(name, shared).make()
        for which, folder in folders.items():
            folder.mkdir(exist_ok=True)
            upload = folder / f"{name}.vcf.gz"
            if not upload.exists():
                upload.symlink_to(shared / upload.name)
            for made in folder.glob(f"{name}.intake.*"):
                made.unlink()  # by an earlier state of the checkout
            _python(checkouts[which], _PREPARE, name, folder)
    print("| job | this | other | ratio |\n| --- | --- | --- | --- |", flush=True)
    for each in options.only:
        name, _, job = each.partition(".")
        with tempfile.TemporaryDirectory(prefix="gemmule-bench-") as scratch:
            pairs = [
                tuple(
                    _seconds(checkouts[which], folders[which], name, job, Path(scratch))
                    for which in checkouts
                )
                for _ in range(options.rounds)
            ]
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(first / second for first, second in pairs)
        print(f"| {each} | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} |", flush=True)


def _seconds(checkout: Path, folder: Path, name: str, job: str, scratch: Path) -> float:
    """Return the seconds that a new process of a checkout takes for a job."""
    output = engine_runs.emptied(scratch)
    text = _python(checkout, _WRITE_JOB, name, folder, job, output)

    def cut() -> None:
        subprocess.run(
            [checkout / ".venv/bin/python", "-m", "genomics"],
            cwd=checkout,
            input=text,
            check=True,
            capture_output=True,
            text=True,
        )

    return engine_runs.timed(cut, engine_runs.output_of(scratch)).seconds


def _python(checkout: Path, code: str, *arguments: str | Path) -> str:
    programs = checkout / ".venv/bin"
    done = subprocess.run(
        [programs / "python", "-c", code, *arguments],
        cwd=checkout,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="time the engine against another's")
    parser.add_argument("checkout", type=lambda text: Path(text).resolve())
    parser.add_argument("--rounds", type=int, default=5, help="runs of each version")
    parser.add_argument(
        "--only", nargs="+", choices=_JOBS, default=_JOBS, metavar="JOB"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
