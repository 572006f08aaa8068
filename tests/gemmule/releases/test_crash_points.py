"""A worker killed at any point of a build: the release is made once, all the same."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from gemmule.audit.verification import verify
from gemmule.objects.folder import Folder
from gemmule.releases import build, storage, upkeep
from gemmule.releases.models import Release, ReleaseState
from ledger import inspection
from tests import waiting
from tests.gemmule.releases import dying
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import leftovers, lies_at
from tests.gemmule.releases.racing import entries
from tests.gemmule.releases.site import children

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Point, and the release's state when the worker dies there.
POINTS = [
    ("taken", ReleaseState.BUILDING),
    ("cutting", ReleaseState.BUILDING),
    ("cut", ReleaseState.BUILDING),
    ("sealing", ReleaseState.BUILDING),
    ("sealed", ReleaseState.SEALED),
    ("settling", ReleaseState.SEALED),
    ("settled", ReleaseState.SEALED),
]


@pytest.mark.parametrize(("point", "state"), POINTS)
def test_a_worker_killed_at_any_point_is_made_up_for(
    release: Release, clock: Clock, tmp_path: Path, point: str, state: ReleaseState
) -> None:
    dying.build_and_die(point, release.pk, clock, tmp_path / "reached")
    release.refresh_from_db()
    assert release.state == state
    waiting.until(
        lambda: not children(storage.scratch()), what="the end of the child process"
    )
    assert len(entries("data.released")) <= 1
    # Before the lease has run out nobody touches it.
    assert upkeep.left_behind(now=clock()) == []
    # What the periodic task does, once it has.
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    sent: list[int] = []
    upkeep.pick_up(send=sent.append, now=clock())
    assert sent == ([release.pk] if state == ReleaseState.BUILDING else [])
    for release_id in sent:
        assert build.run(release_id, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    upkeep.sweep_scratch(now=clock() + timedelta(days=3650))
    upkeep.tidy()
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    assert release.attempts == 1 + len(sent)
    assert release.donors.count() == 28
    assert [one["manifest_sha256"] for one in entries("data.released")] == [
        release.manifest_sha256
    ]
    assert leftovers(release) == []
    assert [check.question for check in verify(release) if not check.holds] == []
    assert inspection.inspect().is_sound


def test_plaintext_of_a_killed_build_is_gone_with_the_next_round(
    release: Release, clock: Clock, tmp_path: Path
) -> None:
    dying.build_and_die("cutting", release.pk, clock, tmp_path / "reached")
    waiting.until(
        lambda: not children(storage.scratch()), what="the end of the child process"
    )
    assert list(storage.scratch().iterdir()), "a killed parent cleans nothing up"
    upkeep.sweep_scratch(now=clock() + timedelta(days=3650))
    assert list(storage.scratch().iterdir()) == []


def test_folders_of_builds_that_came_to_nothing_are_deleted(
    built: Release, clock: Clock
) -> None:
    older = storage.staging_dir(built, 7)
    (older / "part").write_text("left behind")
    assert upkeep.tidy() == 1
    assert not older.exists()
    assert leftovers(built) == []
    assert built.files.count() == 2
    assert all(lies_at(file).is_file() for file in built.files.all())
    assert upkeep.tidy() == 0


def test_a_round_asks_the_storage_once_for_each_release(
    built: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = Folder.names, Counter[str]()

    def names(self: Folder, key: str = "") -> Iterator[str]:
        asked[key] += 1
        return real(self, key)

    monkeypatch.setattr(Folder, "names", names)
    assert upkeep.tidy() == 0
    assert asked == Counter(["", f"{built.pk:08d}"])


def test_the_folder_of_a_build_at_work_is_left_alone(
    release: Release, clock: Clock
) -> None:
    held = build._take(release.pk, clock())
    assert held is not None
    folder = storage.staging_dir(held, held.fencing_token)
    assert upkeep.tidy() == 0
    assert folder.is_dir()
    build.put_back(held)
    assert upkeep.tidy() == 1
    assert not folder.exists()


def test_a_release_that_waits_for_a_worker_is_sent_again_once_a_minute(
    release: Release, clock: Clock
) -> None:
    sent: list[int] = []
    for _ in range(12):
        upkeep.pick_up(send=sent.append, now=clock())
        clock.tick(seconds=5)
    assert sent == [release.pk]
    clock.tick(seconds=5)
    upkeep.pick_up(send=sent.append, now=clock())
    assert sent == [release.pk] * 2
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
