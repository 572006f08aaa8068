"""A spare child does one job as a cold one does, and has nothing of its parent."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomics import child, spare, starting
from genomics.errors import BuildFailed
from genomics.job import SubsetResult
from genomics.sandbox import Resources
from tests.genomics.children import LIMIT_S, job, make_room, private_dirs, until


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    with spare.kept():
        spare.wait_until_ready()
        yield
    assert spares() == []


def spares() -> list[int]:
    """Return the process ids of our spare children, which live."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            for pid in (task / "children").read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                found += [int(pid)] * command.endswith(b"\0--spare\0")
    return found


def run(room: Path, resources: Resources | None = None) -> SubsetResult:
    for made in (room / "out").glob("*"):
        made.unlink()
    return child.run(
        job(room),
        timeout_s=LIMIT_S,
        temp_root=room / "temp",
        resources=resources or Resources(),
    )


def test_it_makes_what_a_cold_child_makes(room: Path) -> None:
    warm = run(room)
    spare.drop()
    cold = run(room)
    assert [each.sha256_plain for each in warm.files] == [
        each.sha256_plain for each in cold.files
    ]
    assert private_dirs(room) == []


def test_each_does_one_job_and_is_replaced(room: Path) -> None:
    (first,) = spares()
    run(room)
    (second,) = spares()
    assert first != second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_one_waits_with_nothing_of_its_parent(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMMULE_SECRET_KEY", "top secret")
    with (room / "secret.txt").open("wb") as secret:
        os.set_inheritable(secret.fileno(), True)
        run(room)
        spare.wait_until_ready()
        (pid,) = spares()
        open_files = [
            str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()
        ]
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    # Where the job will come from, and where to tell of it.
    kinds = sorted(name.partition(":")[0] for name in set(open_files))
    assert kinds == ["/dev/null", "pipe", "socket"]
    given = (entry.decode().split("=") for entry in environment.split(b"\0") if entry)
    assert dict(given) == starting.ENVIRONMENT
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


def test_one_that_was_killed_is_no_loss(room: Path) -> None:
    (pid,) = spares()
    os.kill(pid, signal.SIGKILL)
    until(lambda: spares() != [pid], "the end of the spare child")
    assert run(room).records_out == 59
    (successor,) = spares()
    assert successor != pid


def test_a_failed_job_costs_one_and_tells_its_reason(room: Path) -> None:
    path = room / "other.vcf.gz"
    path.write_bytes(b"not BGZF")
    with pytest.raises(BuildFailed):
        child.run(job(room, path), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert len(spares()) == 1
    assert private_dirs(room) == []


def test_another_thread_and_other_limits_get_a_cold_child(room: Path) -> None:
    """A child dies with the thread that started it, and its limits are set by then."""
    before = spares()
    results: list[SubsetResult] = []
    thread = threading.Thread(target=lambda: results.append(run(room)))
    thread.start()
    thread.join()
    assert results[0].records_out == 59
    run(room, Resources(cpu_s=100))
    assert spares() == before


def test_it_dies_with_its_parent() -> None:
    script = (
        "import sys\n"
        "from genomics import spare\n"
        "spare.keep()\n"
        "spare.wait_until_ready()\n"
        "print(spare._spare.process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    until(lambda: not _is_running(pid), "the end of the spare child")


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # Whoever inherited it may take its time to say goodbye.
