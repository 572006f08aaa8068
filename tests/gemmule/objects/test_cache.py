"""Copies of what a bucket keeps: fetched once, evicted in order, never while read."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from tests import waiting


def filling(times: list[str], content: bytes = b"x" * 100) -> Callable[[Path], None]:
    def fill(entry: Path) -> None:
        times.append(entry.name)
        (entry / "file").write_bytes(content)

    return fill


def there(cache: Cache) -> set[str]:
    return {path.name for path in cache.root.glob("*/*")}


def use(cache: Cache, key: str, times: list[str], moment: int) -> None:
    with cache.held(key, whole="file", fill=filling(times)) as entry:
        assert (entry / "file").read_bytes() == b"x" * 100
    os.utime(cache.root / key, (moment, moment))


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    cache, times = Cache(tmp_path / "cache", max_bytes=250), list[str]()
    for moment, key in enumerate(["a/1", "a/2", "a/1", "b/3"]):
        use(cache, key, times, moment)
    assert times == ["1", "2", "3"]
    assert there(cache) == {"1", "3"}


def test_what_is_being_read_stays_until_it_is_not(tmp_path: Path) -> None:
    cache, times = Cache(tmp_path / "cache", max_bytes=150), list[str]()
    with cache.held("a/1", whole="file", fill=filling(times)) as entry:
        use(cache, "a/2", times, moment=1)
        assert (entry / "file").exists()
        use(cache, "a/3", times, moment=2)
        # The one that nobody reads went instead, though it is newer.
        assert there(cache) == {"1", "3"}
    use(cache, "a/4", times, moment=3)
    assert "1" not in there(cache) or "3" not in there(cache)


def test_a_copy_that_is_taken_away_while_it_is_read_is_fetched_anew(
    tmp_path: Path,
) -> None:
    cache, times = Cache(tmp_path / "cache", max_bytes=1000), list[str]()
    with cache.held("a/1", whole="file", fill=filling(times)) as entry:
        Folder(cache.root).delete("a")
        assert not entry.exists()
    use(cache, "a/1", times, moment=1)
    assert times == ["1", "1"]


def test_what_a_killed_process_left_half_is_not_taken_for_whole(
    tmp_path: Path,
) -> None:
    cache, times = Cache(tmp_path / "cache", max_bytes=1000), list[str]()
    (cache.root / "a/1").mkdir(parents=True)
    (cache.root / "a/1/.file.part").write_bytes(b"half")
    use(cache, "a/1", times, moment=1)
    assert [path.name for path in (cache.root / "a/1").iterdir()] == ["file"]


def test_a_fetch_that_fails_leaves_the_next_one_free(tmp_path: Path) -> None:
    cache, times = Cache(tmp_path / "cache", max_bytes=1000), list[str]()

    def fail(entry: Path) -> None:
        raise OSError("away")

    with (
        pytest.raises(OSError, match="away"),
        cache.held("a/1", whole="file", fill=fail),
    ):
        raise AssertionError("nothing is there to be read")
    use(cache, "a/1", times, moment=1)
    assert times == ["1"]


def _fetch(root: Path, counter: Path, go: Path) -> None:
    """Fetch in a process of its own; the one that does waits to be let go on."""

    def fill(entry: Path) -> None:
        with counter.open("a") as file:
            file.write("fetched\n")
        waiting.until(go.exists, what="the word to go on")
        (entry / "file").write_bytes(b"x")

    with Cache(root, max_bytes=1000).held("a/1", whole="file", fill=fill) as entry:
        assert (entry / "file").read_bytes() == b"x"


def test_of_two_workers_one_fetches_and_the_other_waits(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    asked = (tmp_path / "cache", tmp_path / "counter", tmp_path / "go")
    workers = [context.Process(target=_fetch, args=asked) for _ in range(2)]
    for worker in workers:
        worker.start()
    waiting.until((tmp_path / "counter").exists, what="the first fetch")
    waiting.until(
        lambda: any(_waits_for_lock(worker.pid) for worker in workers),
        what="the other worker",
    )
    (tmp_path / "go").touch()
    for worker in workers:
        worker.join(timeout=30)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "counter").read_text() == "fetched\n"


def _waits_for_lock(process: int | None) -> bool:
    # proc(5): a lock that is waited for stands in the list with an arrow before it.
    return any(
        line.split()[1] == "->" and str(process) in line.split()
        for line in Path("/proc/locks").read_text().splitlines()
    )
