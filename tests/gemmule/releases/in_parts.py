"""What tests of releases in parts share: a call set for it, and its steps."""

import gzip
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from gemmule.releases import (
    build,
    parts,
    splitting,
    upkeep,
)
from gemmule.releases.models import (
    Release,
    ReleaseState,
)
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import lies_at

COUNT = 2


@pytest.fixture
def in_parts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut every release in parts, and give the call set windows for them."""
    settings.RELEASE_SPLIT_GENOTYPES = 1
    settings.RELEASE_PARTS = COUNT
    monkeypatch.setattr(cohort_file, "vcf", wide)


def wide(plain: Any = cohort_file.vcf) -> bytes:
    """Return the call set with its last sites in windows of their own."""
    data: bytes = plain()
    rows = []
    for line in data.decode().splitlines():
        cells = line.split("\t")
        if not line.startswith("#") and int(cells[1]) > 11_000:
            cells[1] = str(int(cells[1]) * 100)
        rows.append("\t".join(cells))
    return ("\n".join(rows) + "\n").encode()


@pytest.fixture
def split(release: Release, clock: Clock) -> Release:
    """Return the release left to the workers who cut its parts."""
    assert build.run(release.pk, clock=clock) == ReleaseState.BUILDING
    release.refresh_from_db()
    return release


def waiting(clock: Clock) -> list[int]:
    return splitting.left_behind(now=clock())


def cut_all(release: Release, clock: Clock) -> None:
    outcomes = [parts.run(part, clock=clock) for part in waiting(clock)]
    assert outcomes == [None] * (len(outcomes) - 1) + [release.pk]


def plain(release: Release) -> list[tuple[str, str]]:
    return list(release.files.order_by("role").values_list("role", "sha256_plain"))


def sealed(release: Release, clock: Clock) -> Release:
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    return release


def positions(release: Release, keyring: Keyring) -> set[int]:
    file = lies_at(release.files.get(role="variants"))
    text = gzip.decompress(keyring.open(file.read_bytes())).decode()
    rows = [row for row in text.splitlines() if not row.startswith("#")]
    return {int(row.split("\t")[1]) for row in rows}
