"""Children on a leash end with their parent, whatever ends it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gemmule.demo import leash
from tests import waiting

_PARENT = """
import signal, sys
from pathlib import Path
from gemmule.demo import leash
# Who runs the tests under nohup has it ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
child = leash.start(
    ["sleep", "600"], log=Path(sys.argv[1]), environment={"PATH": "/bin:/usr/bin"},
    when_parent_dies=signal.SIGTERM,
)
print(child.pid, flush=True)
signal.pause()
"""


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _wait_until_gone(pid: int) -> None:
    waiting.until(lambda: not _is_alive(pid), what=f"the end of process {pid}")


def _wait_for_line(log: Path) -> str:
    return waiting.until(
        lambda: log.read_text() if log.read_text().endswith("\n") else "",
        what=f"a line in {log}",
    )


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_child_dies_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        assert _is_alive(child)
        parent.send_signal(number)
        assert parent.wait(timeout=20) == -number
    _wait_until_gone(child)


def test_group_is_killed_with_its_leader(tmp_path: Path) -> None:
    process = leash.start(
        ["sh", "-c", "sleep 600 & echo $!; wait"],
        log=tmp_path / "log",
        environment=os.environ,
        when_parent_dies=signal.SIGKILL,
    )
    grandchild = int(_wait_for_line(tmp_path / "log"))
    assert _is_alive(grandchild)
    leash.kill_group(process)
    _wait_until_gone(grandchild)


def test_child_that_ignores_the_question_is_killed(tmp_path: Path) -> None:
    process = leash.start(
        ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600; done"],
        log=tmp_path / "log",
        environment=os.environ,
        when_parent_dies=signal.SIGKILL,
    )
    assert _wait_for_line(tmp_path / "log") == "deaf\n"
    leash.stop(process, ask=signal.SIGTERM, grace_s=0.2)
    assert process.returncode == -signal.SIGKILL


def test_child_that_ends_by_itself_is_not_killed(tmp_path: Path) -> None:
    process = leash.start(
        ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"],
        log=tmp_path / "log",
        environment=os.environ,
        when_parent_dies=signal.SIGKILL,
    )
    assert _wait_for_line(tmp_path / "log") == "ready\n"
    leash.stop(process, ask=signal.SIGTERM, grace_s=20)
    assert process.returncode == 7
