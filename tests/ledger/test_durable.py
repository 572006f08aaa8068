"""Small files appear whole, once, and private; a lock admits one at a time."""

import os
import threading
from pathlib import Path

import pytest

from ledger import durable


def test_what_is_written_once_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "key"
    durable.write_once(path, b"first")
    durable.write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_a_file_is_private(tmp_path: Path) -> None:
    durable.write_once(tmp_path / "once", b"")
    durable.replace(tmp_path / "again", b"")
    durable.replace(tmp_path / "again", b"")
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_threads_that_write_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "key"
    barrier = threading.Barrier(8)
    seen: list[bytes] = []

    def write(number: int) -> None:
        barrier.wait()
        durable.write_once(path, b"%d" % number)
        seen.append(path.read_bytes())

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_a_failed_replacement_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    durable.replace(path, b"old")

    def fail(handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        durable.replace(path, b"new")
    assert path.read_bytes() == b"old"


def test_the_lock_admits_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "lock"
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with durable.locked(path):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_held_lock_keeps_another_thread_waiting(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with durable.locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with durable.locked(path):
        thread.start()
        assert started.wait(10)
        thread.join(0.2)
        assert thread.is_alive()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), durable.locked(path):
        raise ZeroDivisionError
    with durable.locked(path):
        pass
