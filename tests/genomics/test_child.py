"""The child process: confined, watched, and gone without a trace."""

import contextlib
import fcntl
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from genomics import child
from genomics.errors import (
    BuildFailed,
    ChildKilled,
    ChildTimeout,
    GenomicsError,
    IntakeRefused,
    JobInvalid,
)
from genomics.job import IntakeJob, Progress
from tests.genomics.children import (
    LIMIT_S,
    RECORDS,
    job,
    make_room,
    private_dirs,
    until,
)
from tests.genomics.release import opened, source


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


@pytest.fixture
def pipe(room: Path) -> Path:
    """A source that goes on only when the test says so."""
    path = room / "pipe.vcf"
    os.mkfifo(path)
    return path


def feeding(pipe: Path) -> IO[bytes]:
    """Wait until the child reads its source, and return the end to write to."""
    descriptors: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):  # ENXIO: nobody reads it yet
            descriptors.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(descriptors)

    until(is_read, "a child at its source")
    os.set_blocking(descriptors[0], True)
    return os.fdopen(descriptors[0], "wb", buffering=0)


def child_of(pid: int) -> int | None:
    """Return the process id of the genomics child of `pid`, once it has its job."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for found in (task / "children").read_text().split():
                # Between fork and exec a child still looks like this process.
                if b"\0-m\0genomics\0" in Path(f"/proc/{found}/cmdline").read_bytes():
                    return int(found)
    return None


def test_a_job_gives_its_files_and_nothing_else(room: Path) -> None:
    result = child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    names = [digest.name for digest in result.files]
    assert names == ["GMR000001.vcf.gz.c4gh", "GMR000001.vcf.gz.tbi.c4gh"]
    assert sorted(path.name for path in (room / "out").iterdir()) == sorted(names)
    assert private_dirs(room) == []
    text = gzip.decompress(opened((room / "out" / names[0]).read_bytes())).decode()
    assert text.count("\n20\t") == result.records_out == result.records_in == 59
    for path in (room / "out").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes().startswith(b"crypt4gh")


def test_two_processes_make_the_same_plaintext_and_different_ciphertext(
    room: Path,
) -> None:
    """Each has its own seed for hashing, its own directory, its own keys."""
    runs = [
        child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
        for _ in range(2)
    ]
    files = [run.files for run in runs]
    assert [item.sha256_plain for item in files[0]] == [
        item.sha256_plain for item in files[1]
    ]
    assert not {item.sha256_cipher for item in files[0]} & {
        item.sha256_cipher for item in files[1]
    }
    assert runs[0].software.keys() >= {"isal", "zlib", "cryptography", "python"}


def test_progress_is_told_while_work_goes_on(room: Path) -> None:
    many = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 3000)]
    path = room / "many.vcf.gz"
    path.write_bytes(gzip.compress(source(*many).encode()))
    told: list[Progress] = []
    child.run(
        job(room, path, records_total=2999),
        timeout_s=LIMIT_S,
        temp_root=room / "temp",
        on_progress=told.append,
    )
    assert told
    assert all(0 < item.records <= 2999 == item.records_total for item in told)
    assert [item.records for item in told] == sorted(item.records for item in told)
    # Every record is kept; the last few still wait for their place in the order.
    assert all(0 <= item.records - (item.records_out or 0) <= 2 for item in told)


@pytest.mark.parametrize("point", ["before", "within", "after"])
def test_a_killed_child_leaves_nothing(room: Path, pipe: Path, point: str) -> None:
    """Killed when it waits for its source and amid the records.

    Last comes one that gets as far as sealing and cannot put its second file in place.
    """
    failure: list[GenomicsError] = []

    def work() -> None:
        try:
            child.run(job(room, pipe), timeout_s=LIMIT_S, temp_root=room / "temp")
        except GenomicsError as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    with feeding(pipe) as feed:
        pid = child_of(os.getpid())
        assert pid is not None
        if point == "within":
            many = (f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 60_000))
            feed.write(source(*many).encode()[:2_000_000])
            until(lambda: plaintext_bytes(room), "plaintext in the private directory")
        if point == "after":
            (room / "out" / "GMR000001.vcf.gz.tbi.c4gh").mkdir()  # no rename onto this
            feed.write(source(*RECORDS).encode())
        else:
            os.kill(pid, signal.SIGKILL)
    thread.join(LIMIT_S)
    assert len(failure) == 1
    assert isinstance(failure[0], ChildKilled)
    assert private_dirs(room) == []
    left = [path for path in (room / "out").iterdir() if path.is_file()]
    assert left == []


def test_a_run_that_fails_late_takes_its_files_back(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the child is killed after its first file stands in place."""

    def fail(*_: object) -> None:
        assert len(list((room / "out").iterdir())) == 2
        raise ChildKilled("late")

    with monkeypatch.context() as patch:
        patch.setattr(child, "_outcome", fail)
        with pytest.raises(ChildKilled, match="late"):
            child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert list((room / "out").iterdir()) == []


def test_a_failed_run_leaves_files_of_an_earlier_one_alone(room: Path) -> None:
    result = child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    before = {path: path.read_bytes() for path in (room / "out").iterdir()}
    assert len(before) == len(result.files) == 2
    unsound = room / "unsound.vcf"
    unsound.write_text(source(*RECORDS, "20 70 . A C . . . GT 0/7 0/0 0/0"))
    with pytest.raises(BuildFailed):
        child.run(job(room, unsound), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert {path: path.read_bytes() for path in (room / "out").iterdir()} == before


def plaintext_bytes(room: Path) -> int:
    return sum(
        part.stat().st_size
        for folder in private_dirs(room)
        for part in folder.glob("part-*")
    )


def test_a_child_that_takes_too_long_is_stopped(room: Path, pipe: Path) -> None:
    with pytest.raises(ChildTimeout, match=r"within 1\.5 s"):
        child.run(job(room, pipe), timeout_s=1.5, temp_root=room / "temp")
    assert private_dirs(room) == []
    assert list((room / "out").iterdir()) == []
    assert child_of(os.getpid()) is None


def test_a_caller_cancels_by_an_exception(room: Path) -> None:
    class LeaseLost(Exception):
        pass

    def cancel(_: Progress) -> None:
        raise LeaseLost

    many = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 2000)]
    path = room / "many.vcf.gz"
    path.write_bytes(gzip.compress(source(*many).encode()))
    with pytest.raises(LeaseLost):
        child.run(
            job(room, path),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
            on_progress=cancel,
        )
    assert private_dirs(room) == []
    assert list((room / "out").iterdir()) == []


PARENT = """
import sys
from pathlib import Path
from genomics import child
from genomics.job import SubsetJob
import json
job = SubsetJob.from_json(json.loads(sys.argv[1]))
child.run(job, timeout_s=60, temp_root=Path(sys.argv[2]))
"""


def test_the_child_dies_with_its_parent_and_is_swept(room: Path, pipe: Path) -> None:
    arguments = [json.dumps(job(room, pipe).to_json()), str(room / "temp")]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *arguments])
    with feeding(pipe):
        pid = child_of(parent.pid)
        assert pid is not None
        (private,) = private_dirs(room)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert child.sweep(room / "temp", older_than=tomorrow) == 0  # both live
        parent.kill()
        parent.wait()
        until(lambda: is_dead(pid), "the child's death")
    assert private.is_dir()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert child.sweep(room / "temp", older_than=yesterday) == 0  # too young
    assert child.sweep(room / "temp", older_than=tomorrow) == 1
    assert private_dirs(room) == []


def is_dead(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    return True


def test_sweeping_touches_only_abandoned_private_directories(room: Path) -> None:
    root = room / "temp"
    (root / "other").mkdir()
    (root / f"{child.PRIVATE_PREFIX}file").write_text("x")
    (root / f"{child.PRIVATE_PREFIX}link").symlink_to(room / "out")
    held = root / f"{child.PRIVATE_PREFIX}held"
    held.mkdir()
    abandoned = root / f"{child.PRIVATE_PREFIX}abandoned"
    abandoned.mkdir()
    (abandoned / "part-0").write_text("x")
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert child.sweep(root, older_than=tomorrow) == 1
    finally:
        os.close(descriptor)
    assert sorted(path.name for path in root.iterdir()) == sorted(
        [f"{child.PRIVATE_PREFIX}{end}" for end in ("file", "held", "link")] + ["other"]
    )
    assert (room / "out").is_dir()


def test_refusals_come_back_as_the_errors_they_are(room: Path) -> None:
    with pytest.raises(BuildFailed, match="1 are not there") as caught:
        child.run(job(room, samples=(("Dora", "D0"),)), timeout_s=LIMIT_S)
    assert caught.value.code == "samples"
    with pytest.raises(BuildFailed, match="readable store"):
        child.run(job(room, room / "nothing.vcf.gz"), timeout_s=LIMIT_S)
    with pytest.raises(JobInvalid, match="absolute path"):
        child.run(job(room, Path("relative.vcf.gz")), timeout_s=LIMIT_S)


def test_an_unsound_upload_is_refused_by_the_child(room: Path) -> None:
    path = room / "upload.vcf"
    path.write_text("no VCF at all\n")
    with pytest.raises(IntakeRefused) as caught:
        child.run(
            IntakeJob(source=path, store=room / "out" / "store.vcf.gz"),
            timeout_s=LIMIT_S,
        )
    assert caught.value.code
    assert list((room / "out").iterdir()) == []


def test_a_child_that_cannot_start_says_why(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for interpreter in ("/usr/bin/false", "/nowhere/python"):
        monkeypatch.setattr(sys, "executable", interpreter)
        with pytest.raises(ChildKilled, match="did not start"):
            child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert private_dirs(room) == []
