"""Workers killed while their files go to a bucket: made up for, and nothing is left."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

import gemmule.catalog.storage
from gemmule.audit.verification import verify
from gemmule.catalog.models import Dataset
from gemmule.objects import places
from gemmule.releases import build, rebuilding, storage, upkeep
from gemmule.releases.models import Release, ReleasePart, ReleaseState, SplitBuild
from tests.gemmule.releases import dying
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.in_a_bucket import address as address
from tests.gemmule.releases.in_a_bucket import local_files
from tests.gemmule.releases.in_parts import COUNT, cut_all, in_parts, sealed, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

__all__ = ["in_parts"]


def check(release: Release, clock: Clock, settings: Settings) -> None:
    """Assert that the release is whole, and that nothing but it is anywhere."""
    upkeep.sweep_scratch(now=clock() + timedelta(days=3650))
    upkeep.tidy()
    (kept,) = storage.folders()
    assert (kept.release, kept.splits) == (release.pk, ())
    assert kept.tokens == (release.fencing_token,)
    place = places.place("releases", settings.RELEASE_DIR)
    names = place.names(f"{release.pk:08d}/{release.fencing_token:04d}")
    assert list(names) == sorted(file.name for file in release.files.all())
    assert local_files(settings) == []
    assert list(storage.scratch().iterdir()) == []
    assert [one.question for one in verify(release) if not one.holds] == []


@pytest.mark.parametrize("point", ["keeping", "sealing", "sealed"])
def test_a_worker_killed_beside_the_bucket_is_made_up_for(
    release: Release, clock: Clock, settings: Settings, tmp_path: Path, point: str
) -> None:
    dying.build_and_die(point, release.pk, clock, tmp_path / "reached")
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    sent: list[int] = []
    upkeep.pick_up(send=sent.append, now=clock())
    assert sent == ([] if point == "sealed" else [release.pk])
    for release_id in sent:
        assert build.run(release_id, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    check(release, clock, settings)


@pytest.mark.usefixtures("in_parts")
def test_parts_go_through_the_bucket_and_a_lost_one_is_swept(
    release: Release,
    dataset: Dataset,
    clock: Clock,
    settings: Settings,
    tmp_path: Path,
) -> None:
    assert build.run(release.pk, clock=clock) == ReleaseState.BUILDING
    release.refresh_from_db()
    first, *others = waiting(clock)
    dying.build_and_die("part-kept", first, clock, tmp_path / "reached")
    (split,) = SplitBuild.objects.all()
    place = places.place("releases", settings.RELEASE_DIR)
    folder = f"{release.pk:08d}/parts-{split.pk:08d}"
    assert list(place.names(folder)) == [f"{first}-1.c4gh"]
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    cut_all(release, clock)
    counts = dict(ReleasePart.objects.values_list("pk", "attempts"))
    assert counts == {first: 2} | dict.fromkeys(others, 1)
    assert len(list(place.names(folder))) == COUNT + 1
    one = sealed(release, clock)
    check(one, clock, settings)
    # As one worker cuts it from the store in a folder.
    (source,) = dataset.files.all()
    with gemmule.catalog.storage.store_at_hand(source) as store:
        there = settings.STORE_DIR / str(source.pk)
        store.parent.rename(there)
    settings.S3 = None
    found = rebuilding.rebuild(one)
    assert found.is_same
    assert all(file.rebuilt for file in found.files)
