"""One run of a job: by hand, and by our engine in a cold or a warm process."""

import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import genomics.child
from benchmarks.engine_inputs import Inputs, run
from genomics import spare
from genomics.job import SubsetResult

_HAND = Path(__file__).with_name("hand.sh")
_TIMEOUT_S = 3600.0
_SAMPLED_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds on the wall and of processors, and the bytes of the encrypted VCF."""

    seconds: float
    cpu_seconds: float
    bytes: int


def timed(work: Callable[[], object], made: Path) -> Run:
    """Do some work and return what it took; `made` is the file it makes."""
    cpu, started = _cpu_seconds(), time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    return Run(seconds, _cpu_seconds() - cpu, made.stat().st_size)


def by_hand(inputs: Inputs, job: str, scratch: Path) -> Run:
    """Do it as one would without us."""
    output = scratch / "hand.vcf.gz"
    regions = inputs.regions(job)
    command = [_HAND, inputs.vcf, inputs.samples(job), regions or "-", output]

    def work() -> None:
        run(*command, inputs.public_key)

    return timed(work, scratch / "hand.vcf.gz.c4gh")


def cold(inputs: Inputs, job: str, scratch: Path) -> Run:
    """Do it in a new process."""
    output = emptied(scratch)
    return timed(lambda: _cut(inputs, job, output), output_of(scratch))


def output_of(scratch: Path) -> Path:
    """Return the encrypted VCF of our last run."""
    return scratch / "ours" / "release.vcf.gz.c4gh"


def warm(inputs: Inputs, job: str, scratch: Path) -> Run:
    """Do it in a process that waits for it; the caller keeps a spare one.

    A worker has the time between two builds to start the next, and that is not counted.
    """
    spare.wait_until_ready()
    before = sum(map(_used, _children_of_genomics()))
    run = cold(inputs, job, scratch)
    return replace(run, cpu_seconds=run.cpu_seconds - before)


def peak_bytes(inputs: Inputs, job: str, scratch: Path) -> int:
    """Return the most memory that all processes of a cold run hold together (PSS)."""
    peak, is_done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(_SAMPLED_EVERY_S):
            peak = max(peak, sum(map(_held, _children_of_genomics())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        _cut(inputs, job, emptied(scratch))
    finally:
        is_done.set()
        watcher.join()
    return peak


def check_against_text(inputs: Inputs, job: str, scratch: Path) -> None:
    """End the program unless the engine that reads text makes the same files."""
    fast = _cut(inputs, job, emptied(scratch))
    plain = _cut(inputs, job, emptied(scratch), by_text=True)
    if [each.sha256_plain for each in fast.files] != [
        each.sha256_plain for each in plain.files
    ]:
        raise SystemExit(f"{inputs.name} {job}: the two engines make different files")


def emptied(scratch: Path) -> Path:
    """Return the folder that a run of ours writes into, without files."""
    output = scratch / "ours"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    return output


def _cut(
    inputs: Inputs, job: str, output: Path, *, by_text: bool = False
) -> SubsetResult:
    asked = inputs.subset_job(job, output, by_text=by_text)
    return genomics.child.run(asked, timeout_s=_TIMEOUT_S, temp_root=output.parent)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children_of_genomics() -> Iterator[Path]:
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if b"-m\0genomics\0" in command:
            yield each


def _used(process: Path) -> float:
    """Return the processor seconds of a process without children."""
    nanoseconds, *_ = (process / "schedstat").read_text().split()
    return int(nanoseconds) / 1e9


def _held(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # It has ended.
    sizes = (line.split() for line in lines if line.startswith("Pss:"))
    return sum(int(cells[1]) * 1024 for cells in sizes)
