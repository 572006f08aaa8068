"""Cut the windows of a release in several processes, each a copy of this one.

A copy has all modules loaded and the store open, and starts in 2 ms; what the standard
library has for this takes longer to load than some cuts take. Which process cuts which
run of windows changes nothing in the parts.
"""

import itertools
import os
import pickle
import select
import signal
import struct
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from genomics import sandbox
from genomics.errors import ChildKilled
from genomics.header import Usage
from genomics.parts import Part
from genomics.windows import Window, runs

# Cuts a window; returns what the window makes use of, too.
Cutter = Callable[[Window], tuple[Part, Usage]]

_NUMBER, _SIZE = struct.Struct("<I"), struct.Struct("<Q")
_QUEUE = Path("windows")


def cut_all(
    windows: Sequence[Window],
    start: Callable[[], Cutter],
    workers: int,
    meanwhile: Callable[[], object] = lambda: None,
) -> Generator[tuple[Part, Usage], None, None]:
    """Yield the part of each window, in order.

    `start` is called in each worker, `meanwhile` in this process once they are at work.
    """
    whole = runs(windows)
    firsts = list(itertools.accumulate(map(len, whole), initial=0))
    team: dict[int, int] = {}  # by pipe: process
    # Copies of an open file share its position, so each number is read once.
    with _QUEUE.open("x+b", buffering=0) as queue:
        _QUEUE.unlink()
        queue.write(b"".join(map(_NUMBER.pack, range(len(whole)))))
        queue.seek(0)
        try:
            for _ in range(workers):
                pipe, process = _fork(whole, firsts, start, queue.fileno())
                team[pipe] = process
            meanwhile()
            yield from _in_order(team, len(windows))
        finally:
            for pipe, process in team.items():
                os.close(pipe)
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def _in_order(team: dict[int, int], count: int) -> Iterator[tuple[Part, Usage]]:
    answers = _answers(team)
    early: dict[int, tuple[Part, Usage]] = {}
    for number in range(count):
        while number not in early:
            found, part, usage = next(answers)
            early[found] = part, usage
        yield early.pop(number)


def _answers(team: dict[int, int]) -> Iterator[tuple[int, Part, Usage]]:
    """Yield what the workers say, as it comes; raise what one of them raises."""
    poll = select.poll()
    for pipe in team:
        poll.register(pipe, select.POLLIN)
    while True:
        for pipe, _ in poll.poll():
            answer = _receive(pipe)
            if isinstance(answer, Exception):
                raise answer
            if answer is None:  # nothing is left to do
                poll.unregister(pipe)
            else:
                yield answer


def _fork(
    whole: Sequence[Sequence[Window]],
    firsts: Sequence[int],
    start: Callable[[], Cutter],
    queue: int,
) -> tuple[int, int]:
    """Return the pipe and the number of a new process that works through the queue.

    The queue has numbers of runs; `firsts` are the numbers of their first windows.
    """
    parent = os.getpid()
    readable, writable = os.pipe()
    process = os.fork()
    if process:
        os.close(writable)
        return readable, process
    try:
        try:
            sandbox.die_with(parent)
            cut = start()
            while number := os.read(queue, _NUMBER.size):
                (run,) = _NUMBER.unpack(number)
                for place, window in enumerate(whole[run], firsts[run]):
                    _send(writable, (place, *cut(window)))
            _send(writable, None)
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            _send(writable, error)
    finally:
        # Not a step further: everything behind this is the parent's.
        os._exit(0)


def _send(pipe: int, answer: object) -> None:
    data = pickle.dumps(answer)
    rest = memoryview(_SIZE.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _receive(pipe: int) -> tuple[int, Part, Usage] | Exception | None:
    (size,) = _SIZE.unpack(_read(pipe, _SIZE.size))
    answer: tuple[int, Part, Usage] | Exception | None
    answer = pickle.loads(_read(pipe, size))  # noqa: S301 - of a copy of this process
    return answer


def _read(pipe: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not (piece := os.read(pipe, size - len(data))):
            raise ChildKilled("a worker of the child process was killed")
        data += piece
    return bytes(data)
