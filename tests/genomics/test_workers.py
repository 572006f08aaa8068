"""Windows cut by several processes come in order, or their failure is told."""

import os
import signal
import threading
from array import array
from pathlib import Path

import pytest

from genomics.errors import BuildFailed, ChildKilled
from genomics.header import Usage
from genomics.parts import Part
from genomics.windows import Window
from genomics.workers import Cutter, cut_all

WINDOWS = [
    Window(number=number, contig="1", low=1, high=2, blocks=()) for number in range(40)
]


@pytest.fixture(autouse=True)
def _in_a_private_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cut_large(window: Window) -> tuple[Part, Usage]:
    """Return a part that no pipe takes at once; it says who made it."""
    part = Part(
        contig=window.contig,
        path=Path(str(os.getpid())),
        table=array("q", [window.number] * 30_000),
        sizes=array("q", [0]),
        withheld=0,
        closed=0,
    )
    return part, Usage(contigs={window.contig: None})


def failing(error: Exception) -> Cutter:
    def cut(window: Window) -> tuple[Part, Usage]:
        if window.number == 20:
            raise error
        return cut_large(window)

    return cut


def test_parts_come_in_order_whoever_makes_them(tmp_path: Path) -> None:
    found = list(cut_all(WINDOWS, lambda: cut_large, 3))
    assert [part.table[0] for part, _ in found] == list(range(40))
    assert all(usage.contigs == {"1": None} for _, usage in found)
    makers = {part.path.name for part, _ in found}
    assert str(os.getpid()) not in makers
    assert len(makers) <= 3
    assert list(tmp_path.iterdir()) == []


def test_what_is_to_be_done_meanwhile_is_done_here_beside_the_workers() -> None:
    found = list[tuple[int, int]]()

    def meanwhile() -> None:
        found.append((os.getpid(), len(children() - before)))

    before = children()
    assert len(list(cut_all(WINDOWS, lambda: cut_large, 2, meanwhile))) == len(WINDOWS)
    assert found == [(os.getpid(), 2)]


@pytest.mark.parametrize(
    "error",
    [
        BuildFailed("store", "expected the columns as intake left them", 7),
        MemoryError(),
        OSError(28, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_in_a_worker_is_the_failure_of_the_cut(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        list(cut_all(WINDOWS, lambda: failing(error), 2))
    assert raised.value.__dict__ == error.__dict__
    assert str(raised.value) == str(error)


def test_a_worker_that_cannot_start_is_a_failure_of_the_cut() -> None:
    def start() -> Cutter:
        raise BuildFailed("samples", "expected all samples in the store")

    with pytest.raises(BuildFailed, match="expected all samples"):
        list(cut_all(WINDOWS, start, 2))


def test_a_killed_worker_is_told_and_the_others_end() -> None:
    def cut(window: Window) -> tuple[Part, Usage]:
        if window.number == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return cut_large(window)

    before = children()
    with pytest.raises(ChildKilled, match="a worker of the child process was killed"):
        list(cut_all(WINDOWS, lambda: cut, 2))
    assert children() == before


def test_a_caller_who_stops_early_leaves_no_worker_behind() -> None:
    before = children()
    found = cut_all(WINDOWS, lambda: cut_large, 2)
    next(found)
    assert len(children() - before) == 2
    found.close()
    assert children() == before


def children() -> set[str]:
    """Return this process's children, the dead that nobody asked for among them."""
    own = Path("/proc/self/task", str(threading.get_native_id()), "children")
    return set(own.read_text().split())
