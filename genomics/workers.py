"""Cut the windows of a release in several processes, each a copy of this one.

Which process cuts which window changes nothing in the parts.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from genomics import sandbox
from genomics.errors import ChildKilled
from genomics.header import Usage
from genomics.parts import Part
from genomics.windows import Window

# Cuts a window; returns what the window makes use of, too.
Cutter = Callable[[Window], tuple[Part, Usage]]

_cutter: Cutter


def cut_all(
    windows: Sequence[Window], start: Callable[[], Cutter], workers: int
) -> Iterator[tuple[Part, Usage]]:
    """Yield the part of each window, in order. `start` is called in each worker."""
    pool = ProcessPoolExecutor(
        workers,
        # A copy has all modules loaded and the store open, and starts in 2 ms.
        mp_context=multiprocessing.get_context("fork"),
        initializer=_begin,
        initargs=(start, os.getpid()),
    )
    with pool:
        try:
            yield from pool.map(_cut, windows)
        except BrokenProcessPool as error:
            raise ChildKilled("a worker of the child process was killed") from error


def _begin(start: Callable[[], Cutter], parent: int) -> None:
    global _cutter
    sandbox.die_with(parent)
    _cutter = start()


def _cut(window: Window) -> tuple[Part, Usage]:
    return _cutter(window)
