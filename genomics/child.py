"""Run a job in a process of its own and bring back the result, or an error.

htslib parses hostile bytes, so the child has an empty environment, resource limits, no
network where the kernel allows it, and dies with its parent. Plaintext stays in a
private directory (0700) that is gone after every end of the child; if this process is
killed too, `sweep` finds the directory later. What a job does is left to
`genomics.__main__`; this module never loads pysam.
"""

import contextlib
import fcntl
import glob
import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, overload

from genomics import spare, starting
from genomics.errors import (
    BuildFailed,
    ChildKilled,
    ChildTimeout,
    Fault,
    IntakeRefused,
    JobInvalid,
)
from genomics.job import (
    COLUMNS_SUFFIX,
    INDEX_SUFFIX,
    IntakeJob,
    IntakeResult,
    Progress,
    ProgressSink,
    SubsetJob,
    SubsetResult,
)
from genomics.jsonfields import JSON
from genomics.part_job import JoinJob, PartJob, PartResult
from genomics.removal_job import RemovalJob, RemovalResult
from genomics.sandbox import Resources

PRIVATE_PREFIX = "gemmule-genomics-"
LINE_BYTES = 256 << 20  # a result may name 200,000 samples

log = logging.getLogger(__name__)

Job = SubsetJob | IntakeJob | RemovalJob | PartJob | JoinJob
Result = SubsetResult | IntakeResult | RemovalResult | PartResult


@overload
def run(
    job: SubsetJob | JoinJob,
    *,
    timeout_s: float,
    on_progress: ProgressSink | None = None,
    temp_root: Path | None = None,
    resources: Resources = ...,
) -> SubsetResult: ...
@overload
def run(
    job: IntakeJob,
    *,
    timeout_s: float,
    on_progress: ProgressSink | None = None,
    temp_root: Path | None = None,
    resources: Resources = ...,
) -> IntakeResult: ...
@overload
def run(
    job: RemovalJob,
    *,
    timeout_s: float,
    on_progress: ProgressSink | None = None,
    temp_root: Path | None = None,
    resources: Resources = ...,
) -> RemovalResult: ...
@overload
def run(
    job: PartJob,
    *,
    timeout_s: float,
    on_progress: ProgressSink | None = None,
    temp_root: Path | None = None,
    resources: Resources = ...,
) -> PartResult: ...
def run(
    job: Job,
    *,
    timeout_s: float,
    on_progress: ProgressSink | None = None,
    temp_root: Path | None = None,
    resources: Resources = Resources(),  # noqa: B008 - a frozen value
) -> Result:
    """Do `job` in a child process and return its result.

    `temp_root` must have room for the plaintext; the system's temporary directory if
    None. An exception of `on_progress` stops the child and passes through, which is how
    a caller cancels. Raises JobInvalid, IntakeRefused (intake), BuildFailed (others),
    ChildKilled or ChildTimeout; then nothing new is left in any directory.
    """
    with (
        _private_directory(temp_root or Path(tempfile.gettempdir())) as (private, fd),
        _all_or_nothing(job, private),
    ):
        lines = _Lines(on_progress)
        try:
            status = _run(job, private, fd, lines, timeout_s, resources)
        finally:
            spare.replace()
        return _outcome(job, lines, status)


def sweep(root: Path, *, older_than: datetime) -> int:
    """Remove private directories below `root` whose processes are dead; count them.

    A directory is left alone while the parent or the child that made it lives (both
    hold its lock), or when it was made at or after `older_than` (aware).
    """
    removed = 0
    for entry in os.scandir(root):
        if not entry.name.startswith(PRIVATE_PREFIX):
            continue
        with contextlib.suppress(FileNotFoundError):  # someone else swept it
            status = entry.stat(follow_symlinks=False)
            made = datetime.fromtimestamp(status.st_mtime, UTC)
            is_ours = status.st_uid == os.geteuid()
            if not entry.is_dir(follow_symlinks=False) or not is_ours:
                continue
            if made < older_than and _is_abandoned(Path(entry.path)):
                shutil.rmtree(entry.path)
                removed += 1
    return removed


class _Lines:
    """What the child has said so far."""

    def __init__(self, on_progress: ProgressSink | None) -> None:
        self.on_progress = on_progress
        self.has_started = False
        self.result: JSON = None
        self.error: dict[str, JSON] | None = None

    def take(self, line: bytes) -> None:
        try:
            value = json.loads(line)
        except ValueError as fault:
            raise ChildKilled("expected JSON lines of the child process") from fault
        match value:
            case {"progress": progress}:
                if self.on_progress is not None:
                    self.on_progress(Progress.from_json(progress))
            case {"sandbox": {"network": has_network}}:
                self.has_started = True
                if has_network:
                    log.warning("the kernel lets no child process leave the network")
            case {"result": result}:
                self.result = result
            case {"error": dict(error)}:
                self.error = error
            case _:
                raise ChildKilled("expected a known line of the child process")


@contextlib.contextmanager
def _private_directory(root: Path) -> Iterator[tuple[Path, int]]:
    private = Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=root))
    try:
        lock = os.open(private, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield private, lock
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(private, ignore_errors=False)


@contextlib.contextmanager
def _all_or_nothing(job: Job, private: Path) -> Iterator[None]:
    """Leave no file of a failed run: neither unfinished parts nor one file of two."""
    folder, names = _outputs(job)
    before = {path: _identity(path) for name in names for path in folder.glob(name)}
    try:
        yield
    except BaseException:
        for name in names:
            for path in folder.glob(name):
                if path.is_file() and _identity(path) != before.get(path):
                    path.unlink()
        raise
    finally:
        for part in folder.glob(f".*.{private.name}.part"):
            part.unlink(missing_ok=True)


def _outputs(job: Job) -> tuple[Path, tuple[str, ...]]:
    # A name has no wildcards: job.FILE_STEM for a release, escaped for a store.
    if isinstance(job, JoinJob):
        return _outputs(job.subset)
    if isinstance(job, SubsetJob):
        endings = ("vcf.gz.c4gh", "vcf.gz.tbi.c4gh", "vcf.gz.csi.c4gh")
        return job.output_dir, tuple(f"{job.name}.{ending}" for ending in endings)
    if isinstance(job, PartJob):
        return job.part.parent, (glob.escape(job.part.name),)
    store = glob.escape(job.store.name)
    return job.store.parent, (
        store,
        f"{store}{INDEX_SUFFIX}",
        f"{store}{COLUMNS_SUFFIX}",
    )


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat(follow_symlinks=False)
    return status.st_ino, status.st_mtime_ns


def _is_abandoned(private: Path) -> bool:
    lock = os.open(private, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _run(
    job: Job,
    private: Path,
    lock: int,
    lines: _Lines,
    timeout_s: float,
    resources: Resources,
) -> int:
    with (
        # A file, not a pipe: a child that does not read cannot block us.
        tempfile.TemporaryFile(dir=private) as job_file,
        tempfile.TemporaryFile(dir=private) as stderr,
    ):
        job_file.write(json.dumps(job.to_json()).encode("ascii"))
        job_file.seek(0)
        # The lock lasts as long as either process.
        child = spare.give(
            resources, directory=lock, job=job_file.fileno(), stderr=stderr.fileno()
        ) or starting.start(
            resources, stdin=job_file, stderr=stderr, directory=private, keep=(lock,)
        )
        assert child.stdout is not None, "a pipe was asked for"
        try:
            deadline = time.monotonic() + timeout_s
            _listen(child.stdout, lines, deadline)
            status = child.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired as error:
            raise ChildTimeout(
                f"expected an end within {timeout_s:g} s, the child was stopped"
            ) from error
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        if not lines.has_started and lines.error is None:
            # Nothing of a user's file has been read yet, so its text may be told.
            stderr.seek(0)
            said = stderr.read(2000).decode("utf-8", "replace").strip()
            raise ChildKilled(f"the child process did not start: {said[-300:]}")
    return status


def _listen(stdout: IO[bytes], lines: _Lines, deadline: float) -> None:
    unfinished = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired("genomics", 0)
            if not selector.select(left):
                continue
            chunk = os.read(stdout.fileno(), 1 << 16)
            if not chunk:
                return
            unfinished += chunk
            if len(unfinished) > LINE_BYTES:
                raise ChildKilled("expected shorter lines of the child process")
            if b"\n" in chunk:
                *whole, rest = bytes(unfinished).split(b"\n")
                unfinished = bytearray(rest)
                for line in whole:
                    lines.take(line)


def _outcome(job: Job, lines: _Lines, status: int) -> Result:
    if status < 0:
        raise ChildKilled(_signal_text(-status))
    if lines.error is not None:
        raise _error(job, lines.error, status)
    if status != 0 or lines.result is None:
        raise ChildKilled(f"the child process ended with {status} and no result")
    if isinstance(job, SubsetJob | JoinJob):
        return SubsetResult.from_json(lines.result)
    if isinstance(job, PartJob):
        return PartResult.from_json(lines.result)
    if isinstance(job, RemovalJob):
        return RemovalResult.from_json(lines.result)
    return IntakeResult.from_json(lines.result)


def _error(
    job: Job, error: dict[str, JSON], status: int
) -> JobInvalid | IntakeRefused | BuildFailed | ChildKilled:
    code, message = str(error.get("code")), str(error.get("message"))
    line, column = error.get("line"), error.get("column")
    if status == 2:
        return JobInvalid(message)
    if status != 1:
        return ChildKilled(message)
    line = line if isinstance(line, int) else None
    if isinstance(job, IntakeJob):
        column = column if isinstance(column, int) else None
        return IntakeRefused(code, message, line, column, _faults(error.get("faults")))
    return BuildFailed(code, message, line)


def _faults(value: JSON) -> list[Fault]:
    faults = []
    for item in value if isinstance(value, list) else []:
        match item:
            case {
                "code": str(code),
                "message": str(message),
                "line": int() | None as line,
                "column": int() | None as column,
            }:
                fault = Fault(code=code, message=message, line=line, column=column)
                faults.append(fault)
            case _:
                raise ChildKilled("expected faults with code, message, line and column")
    return faults


def _signal_text(number: int) -> str:
    match number:
        case signal.SIGXCPU:
            return "the child process used up its processor time"
        case signal.SIGKILL:
            return "the child process was killed, or used up its processor time"
    return f"the child process was ended by {signal.Signals(number).name}"
