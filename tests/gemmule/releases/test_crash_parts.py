"""A worker killed amid a part: nothing of what it had is left, in any folder."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from consent.models import Donor
from gemmule.audit.verification import verify
from gemmule.catalog.models import Dataset
from gemmule.releases import build, erasure, services, storage, upkeep
from gemmule.releases.models import (
    ErasureStage,
    Release,
    ReleasePart,
    ReleaseState,
)
from tests.gemmule.releases import cohort_file, dying
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import leftovers
from tests.gemmule.releases.in_parts import (
    COUNT,
    cut_all,
    in_parts,
    sealed,
    split,
    waiting,
)
from tests.gemmule.releases.sweeping import Sweep

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("in_parts"),
]

__all__ = ["in_parts", "split"]


@pytest.fixture
def lost(split: Release, clock: Clock, tmp_path: Path) -> Release:
    """Return the release with both of its parts lost, at different points."""
    first, second = waiting(clock)
    dying.build_and_die("part-cutting", first, clock, tmp_path / "first")
    dying.build_and_die("part-kept", second, clock, tmp_path / "second")
    assert waiting(clock) == [], "nobody knows yet"
    # So that a search which finds nothing afterwards has had something to find.
    (private,) = storage.scratch().iterdir()
    # The test's clock stands elsewhere than that of the file system.
    os.utime(private, (clock().timestamp(),) * 2)
    assert [path.name for path in parts_of()] == [f"{second}-1.c4gh"]
    return split


def parts_of() -> list[Path]:
    """Return the files of parts that lie in storage."""
    return list(settings.RELEASE_DIR.glob("*/parts-*/*"))


def test_what_lost_workers_had_of_parts_is_gone_once_others_cut_them(
    lost: Release, clock: Clock
) -> None:
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    cut_all(lost, clock)
    assert list(ReleasePart.objects.values_list("attempts", flat=True)) == [2] * COUNT
    one = sealed(lost, clock)
    upkeep.sweep_scratch(now=clock())
    upkeep.tidy()
    assert one.attempts == 1
    assert leftovers(one) == []
    assert list(storage.scratch().iterdir()) == []
    assert parts_of() == []
    assert [check.question for check in verify(one) if not check.holds] == []


def test_an_erasure_leaves_nothing_that_lost_workers_had_of_parts(
    lost: Release,
    dataset: Dataset,
    donors: list[Donor],
    clock: Clock,
    tmp_path: Path,
) -> None:
    before = swept(tmp_path)
    assert before, "she is in the store"
    begun = services.begin_erasure(
        donor=donors[0], user=None, channel="mail", now=clock()
    )
    clock.tick(seconds=1)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    assert list(storage.scratch().iterdir()) == []
    assert parts_of() == []
    assert swept(tmp_path) == set()
    # And it goes on without her, in parts again.
    assert build.run(lost.pk, clock=clock) == ReleaseState.BUILDING
    lost.refresh_from_db()
    cut_all(lost, clock)
    one = sealed(lost, clock)
    assert one.donors.count() == 27
    assert leftovers(one) == []
    assert swept(tmp_path) == set()


def swept(folder: Path) -> set[str]:
    """Return where the first person's sample is found."""
    sought = Sweep({"sample": cohort_file.NAMES[0]})
    sought.files(folder)
    return sought.found["sample"]
