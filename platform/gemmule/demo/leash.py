"""Start a child process that never outlives the one that started it.

What is started, and when it is ready, is the business of the callers. Linux only:
prctl(2), PR_SET_PDEATHSIG.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_STDERR = 2
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: dlopen is not safe between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True)


def start(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    environment: Mapping[str, str],
    when_parent_dies: signal.Signals,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start `command` in a session of its own, its output appended to `log`.

    Without a log all its output goes to our stderr.

    The kernel sends `when_parent_dies` when the *thread* that called this ends, so
    call it from a thread that lasts. A session of its own keeps the terminal's
    Ctrl-C from reaching the child before its parent has decided what to stop first.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else _STDERR
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
            pass_fds=pass_fds,
            # After the change of user, which would clear the death signal again.
            preexec_fn=_die_with(os.getpid(), when_parent_dies),
        )


def _die_with(parent: int, death: signal.Signals) -> Callable[[], None]:
    def set_death_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != parent:
            # The parent died between fork and prctl: no signal will ever come.
            os._exit(1)

    return set_death_signal


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process and whatever it started in its session, and reap it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # Nobody is left in the group.
    process.wait()


def stop(
    process: "subprocess.Popen[bytes]", *, ask: signal.Signals, grace_s: float
) -> None:
    """Ask the process to end, and kill what is left of its group afterwards."""
    if process.poll() is None:
        process.send_signal(ask)
        try:
            process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            pass  # It was asked; now it is told.
    kill_group(process)
