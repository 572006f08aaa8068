"""Threads beside each other, and the moment at which either of two may come first."""

import os
import random
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections

from gemmule.releases.manifest import Cut
from gemmule.releases.models import Release, SplitBuild
from gemmule.releases.work import Work
from genomics.job import FileDigest
from ledger.models import Entry
from ledger.tlog import entry
from tests.gemmule.releases.contents import lies_at

T = TypeVar("T")


def rounds(usual: int) -> int:
    """Return how often to race: in a campaign TEST_ROUNDS times as often as usual."""
    return usual * int(os.environ.get("TEST_ROUNDS") or 1)


def beside(*works: Callable[[], T]) -> list[T]:
    """Run the works in threads that start together; return, or raise, what they do."""
    barrier = threading.Barrier(len(works), timeout=60)

    def run(work: Callable[[], T]) -> T:
        try:
            barrier.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(run, work) for work in works]]


def let_pass(seconds: float) -> None:
    """Shift one side of a race; nothing is waited for."""
    threading.Event().wait(seconds)


@dataclass
class Aim:
    """A delay that moves to where the delayed side wins as often as it loses."""

    rng: random.Random
    delay: float = 0.02

    def draw(self) -> float:
        return self.delay * self.rng.uniform(0.6, 1.4)

    def learn(self, *, delayed_won: bool) -> None:
        self.delay = max(0.0005, self.delay * (1.4 if delayed_won else 0.7))


@dataclass
class QuickCut:
    """Hands out copies of one real cut, where it is not the cutting that races."""

    files: tuple[FileDigest, ...]
    folder: Path

    @classmethod
    def of(cls, release: Release, folder: Path) -> "QuickCut":
        """Keep copies of a sealed release's files in `folder`."""
        folder.mkdir()
        digests = []
        for file in release.files.all():
            shutil.copy(lies_at(file), folder / file.name)
            names = FileDigest.__dataclass_fields__
            digests.append(FileDigest(**{name: getattr(file, name) for name in names}))
        return cls(files=tuple(digests), folder=folder)

    def __call__(
        self,
        release: Release,
        work: Sequence[Work],
        split: SplitBuild | None,
        check_lease: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> Cut:
        folder = work[0].job.output_dir
        for file in self.files:
            shutil.copy(self.folder / file.name, folder)
        return Cut(
            files=self.files,
            records_out=1,
            genotypes_withheld=0,
            records_withheld=0,
            software={"quick": "1"},
        )


def entries(type_: str) -> list[dict[str, Any]]:
    """Return the public parts of the ledger's entries of one type, in order."""
    rows = Entry.objects.order_by("seq").values_list("data", flat=True)
    found = [entry.parse(bytes(data)) for data in rows]
    return [dict(one.pub) for one in found if one.type == type_]
