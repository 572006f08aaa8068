"""A child process that waits for one job with its modules loaded.

Starting Python and loading the engine takes as long as cutting a small release. A
worker that keeps a spare child has done so before the job comes: the child is confined
as any other, has an empty environment, no file and no connection of the worker's, and
one job in its life. It is given the private directory (its lock), the job and where to
complain as descriptors over a socket, which is all that tells it from a cold one.
"""

import contextlib
import os
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genomics import sandbox, starting
from genomics.errors import ChildKilled
from genomics.sandbox import Resources

# Far longer than the modules take to load.
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Spare:
    process: "subprocess.Popen[bytes]"
    socket: socket.socket
    resources: Resources


_Keeper = tuple[int, int]  # a process and the thread of it that its child dies with

_keeper: _Keeper | None = None
_spare: _Spare | None = None


def keep() -> None:
    """Keep a spare child for this thread from now on, a new one after each job."""
    global _keeper
    _keeper = _this_thread()
    replace()


def drop() -> None:
    """Keep none any more."""
    global _keeper, _spare
    dropped, _spare = _spare, None
    if dropped is not None and _keeper == _this_thread():
        _end(dropped)
    _keeper = None


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep a spare child as long as this lasts."""
    keep()
    try:
        yield
    finally:
        drop()


def wait_until_ready() -> None:
    """Return once the spare child has loaded its modules, or has died."""
    if _spare is not None:
        assert _spare.process.stdout is not None, "a pipe was asked for"
        select.select([_spare.process.stdout], [], [])


def replace() -> None:
    """Start a spare child if this thread keeps one and has none."""
    global _spare
    if _keeper != _this_thread() or _spare is not None:
        return
    ours, theirs = socket.socketpair()
    ours.settimeout(_PATIENCE_S)
    with theirs, theirs.makefile("rb") as stdin:
        resources = Resources()
        try:
            process = starting.start(
                resources,
                sandbox.SPARE,
                stdin=stdin,
                stderr=subprocess.DEVNULL,
                directory=Path("/"),
            )
        except ChildKilled:  # The next job starts a cold one, which says so.
            ours.close()
            return
    _spare = _Spare(process, ours, resources)


def give(
    resources: Resources, *, directory: int, job: int, stderr: int
) -> "subprocess.Popen[bytes] | None":
    """Give the job to the spare child and return it, or None if there is no such.

    The arguments are descriptors. None where it has died, is another thread's, or has
    other resources than these: then nothing has been done.
    """
    global _spare
    if _spare is None or _keeper != _this_thread() or _spare.resources != resources:
        return None
    taken, _spare = _spare, None
    with taken.socket:
        try:
            socket.send_fds(taken.socket, [b"j"], [directory, job, stderr])
            has_taken = taken.socket.recv(1) != b""
        except OSError:
            has_taken = False
    if not has_taken:  # It has died, or is stuck.
        _end(taken)
        return None
    return taken.process


def _this_thread() -> _Keeper:
    return os.getpid(), threading.get_native_id()


def _end(spare: _Spare) -> None:
    spare.socket.close()
    spare.process.kill()
    spare.process.wait()
    assert spare.process.stdout is not None, "a pipe was asked for"
    spare.process.stdout.close()
