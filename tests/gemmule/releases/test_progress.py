"""How far a build is: what was kept, an honest estimate, and nothing of the source."""

from datetime import timedelta
from typing import Any

import pytest

from gemmule.catalog.models import DataFile
from gemmule.releases import build
from gemmule.releases.models import Release, ReleaseState
from gemmule.releases.progress import Meter, seconds_left
from genomics.job import FileDigest, Progress, SubsetResult
from tests.gemmule.releases.conftest import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(release: Release) -> Release:
    release.state = ReleaseState.BUILDING
    release.fencing_token = 7
    release.save()
    return release


def files(*records: int) -> list[DataFile]:
    return [DataFile(records=number) for number in records]


def at(records: int, *, kept: int, size: int) -> Progress:
    return Progress(records=records, records_total=None, bytes=size, records_out=kept)


def result(*, kept: int, size: int) -> SubsetResult:
    def digest(role: str, plain: int) -> FileDigest:
        return FileDigest(
            name="GMR000001.vcf.gz.c4gh",
            role=role,
            sha256_plain="1" * 64,
            sha256_cipher="2" * 64,
            size_plain=plain,
            size_bytes=plain + 28,
            segments=1,
        )

    return SubsetResult(
        files=(digest("variants", size), digest("index", 5)),
        records_in=99,
        records_out=kept,
        genotypes_withheld=0,
        records_withheld=0,
        software={},
    )


def told(release: Release) -> dict[str, Any]:
    release.refresh_from_db()
    progress: dict[str, Any] = release.progress
    return progress


def test_records_and_bytes_add_up_over_the_files(held: Release, clock: Clock) -> None:
    meter = Meter(held, files(1000, 3000), clock)
    meter.tell(at(500, kept=400, size=70))
    first = told(held)
    assert (first["records"], first["bytes"], first["percent"]) == (400, 70, 12)
    assert (first["file"], first["files"]) == (1, 2)
    meter.finished(result(kept=800, size=150))
    meter.tell(at(1500, kept=20, size=8))
    second = told(held)
    assert (second["records"], second["bytes"], second["percent"]) == (820, 158, 62)
    assert (second["file"], second["files"]) == (2, 2)


def test_the_time_left_is_told_once_there_is_enough_to_go_on(
    held: Release, clock: Clock
) -> None:
    meter = Meter(held, files(1000), clock)
    clock.tick(seconds=4)
    meter.tell(at(500, kept=1, size=1))
    assert "seconds_left" not in told(held), "too early"
    clock.tick(seconds=56)
    meter.tell(at(40, kept=1, size=1))
    assert "seconds_left" not in told(held), "too little"
    meter.tell(at(250, kept=1, size=1))
    assert told(held)["seconds_left"] == 180
    meter.tell(at(1000, kept=1, size=1))
    assert "seconds_left" not in told(held), "the seal takes a time of its own"
    assert told(held)["percent"] == 99


def test_a_file_of_unknown_length_gives_no_estimate(
    held: Release, clock: Clock
) -> None:
    meter = Meter(held, [DataFile(records=None)], clock)
    clock.tick(minutes=5)
    meter.tell(at(250, kept=9, size=1))
    assert told(held)["percent"] == 0
    assert told(held)["records"] == 9
    assert "seconds_left" not in told(held)


def test_no_count_of_the_source_is_kept(held: Release, clock: Clock) -> None:
    meter = Meter(held, files(123_457), clock)
    clock.tick(minutes=1)
    meter.tell(at(76_543, kept=31, size=64))
    text = str(told(held))
    for number in ("123457", "76543"):
        assert number not in text


def test_a_build_that_lost_its_release_tells_nothing(
    held: Release, clock: Clock
) -> None:
    meter = Meter(held, files(10), clock)
    Release.objects.update(fencing_token=8)
    meter.tell(at(5, kept=1, size=1))
    assert told(held) == {}


@pytest.mark.parametrize(
    ("share", "spent_s", "left"),
    [(0.5, 10, 10), (0.05, 10, 190), (0.049, 10, None), (0.5, 4.9, None), (1, 9, None)],
)
def test_an_estimate_is_the_pace_so_far(
    share: float, spent_s: float, left: int | None
) -> None:
    assert seconds_left(share, timedelta(seconds=spent_s)) == left


def test_a_real_build_tells_what_it_keeps(
    release: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Progress] = []
    tell = Meter.tell

    def listen(meter: Meter, progress: Progress) -> None:
        heard.append(progress)
        tell(meter, progress)

    monkeypatch.setattr(Meter, "tell", listen)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    release.refresh_from_db()
    kept = heard[-1].records_out
    assert kept is not None
    assert kept > 0
    assert release.progress["records"] == kept
    assert release.progress["bytes"] > 0
