"""A child with workers of its own is killed: they go with it, and so does plaintext."""

import contextlib
import gzip
import os
import signal
import threading
from pathlib import Path

from genomics import child
from genomics.errors import GenomicsError
from tests.genomics.children import LIMIT_S, job, make_room, private_dirs, until
from tests.genomics.release import source, write_columns
from tests.genomics.test_child import child_of, is_dead

RECORDS = 10_500  # as many as make several workers worthwhile


def workers_of(pid: int | None) -> list[int]:
    with contextlib.suppress(OSError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(number) for number in found.split()]
    return []


def test_workers_and_plaintext_go_with_a_killed_child(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    row = "20 {} . ACGT A,ACG . . . GT:AD 0/1:1,2 0/0:3 0/2:4"
    path = room / "many.vcf.gz"
    text = source(*(row.format(1 + 5000 * n) for n in range(RECORDS)))
    path.write_bytes(gzip.compress(text.encode(), 1))
    cut = job(room, path, columns_sha256=write_columns(path))
    failure: list[GenomicsError] = []

    def work() -> None:
        try:
            child.run(cut, timeout_s=LIMIT_S, temp_root=room / "temp")
        except GenomicsError as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: list((room / "temp").glob("*/part-*")), "the plaintext of a worker")
    pid = child_of(os.getpid())
    workers = workers_of(pid)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    thread.join(LIMIT_S)
    assert len(failure) == 1
    assert private_dirs(room) == []
    assert list((room / "out").iterdir()) == []
    # With one processor the child does the work itself.
    assert workers or len(os.sched_getaffinity(0)) == 1
    until(lambda: all(map(is_dead, workers)), "the workers' death")
