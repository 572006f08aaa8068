"""What tests of the child process share: a small job, and patience."""

import gzip
from collections.abc import Callable
from pathlib import Path

from genomics import child
from genomics.job import SubsetJob
from tests import waiting
from tests.genomics.release import PUBLIC, source

RECORDS = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 60)]
LIMIT_S = 60.0


def make_room(folder: Path) -> Path:
    """Return the folder with a place for outputs and one for private directories."""
    for name in ("out", "temp"):
        (folder / name).mkdir()
    return folder


def job(room: Path, path: Path | None = None, **options: object) -> SubsetJob:
    if path is None:
        path = room / "source.vcf.gz"
        path.write_bytes(gzip.compress(source(*RECORDS).encode()))
    fields: dict[str, object] = {
        "source": path,
        "samples": (("Ann", "A0"), ("Cid", "C0")),
        "recipient_public_key": PUBLIC,
        "output_dir": room / "out",
        "name": "GMR000001",
    }
    return SubsetJob(**(fields | options))  # type: ignore[arg-type]  # checked by the class


def until(condition: Callable[[], object], what: str) -> None:
    waiting.until(condition, what=what, timeout_s=LIMIT_S)


def private_dirs(room: Path) -> list[Path]:
    return list((room / "temp").glob(f"{child.PRIVATE_PREFIX}*"))
