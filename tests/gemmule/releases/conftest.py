"""A real dataset of 30 donors through intake, and an approved request for it."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import crypt4gh.keys.c4gh
import crypt4gh.lib
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pytest_django.fixtures import Settings

import gemmule.access.services
import gemmule.catalog.intake
import gemmule.catalog.services
from consent.models import Donor
from gemmule.access import reviews
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import ResearcherKey, User
from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFileState, Dataset
from gemmule.demo.cast import PASSWORD
from gemmule.releases import build, services, upkeep
from gemmule.releases.models import Release, ReleaseFile, ReleaseState
from tests import cohorts
from tests.gemmule.releases import cohort_file


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **step: float) -> datetime:
        self.now += timedelta(**step)
        return self.now


@dataclass
class Keyring:
    """Rosa's key, with the secret that only she holds."""

    secret: bytes
    key: ResearcherKey

    def open(self, data: bytes) -> bytes:
        """Return what a Crypt4GH file holds, by the GA4GH library."""
        plain = io.BytesIO()
        crypt4gh.lib.decrypt([(0, self.secret, None)], io.BytesIO(data), plain)
        return plain.getvalue()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Settings) -> None:
    """Keep stores and releases of this test in its own folder."""
    settings.STORE_DIR = tmp_path / "store"
    settings.RELEASE_DIR = tmp_path / "releases"
    settings.RELEASE_MIN_DONORS = 20


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def donors(db: None, now: datetime) -> list[Donor]:
    """Return 30 donors; the last two have decided nothing."""
    return cohorts.donors([cohorts.GENERAL] * 28 + [None] * 2, now)


@pytest.fixture
def dataset(sven: User, signe: User, donors: list[Donor], clock: Clock) -> Dataset:
    """Return a published dataset, taken in and mapped as stewards do it."""
    catalog = gemmule.catalog.services
    made = catalog.register_dataset(
        user=sven,
        description=Description(
            title="Thirty people", summary="Thirty people for tests.", build="GRCh37"
        ),
        now=clock(),
    )
    file = catalog.upload_file(
        user=sven,
        dataset=made,
        stream=io.BytesIO(cohort_file.vcf()),
        original_name="thirty.vcf",
        now=clock(),
    )
    state = gemmule.catalog.intake.check(file.pk, clock=clock)
    assert state == DataFileState.ACCEPTED
    rows = zip(cohort_file.NAMES, donors, strict=True)
    table = "\n".join(["sample,donor", *(f"{name},{one.pk}" for name, one in rows)])
    made = catalog.upload_sample_map(
        user=sven, dataset=made, data=table.encode(), now=clock()
    )
    made = catalog.confirm_sample_map(
        user=signe, dataset=made, map_sha256=made.map_sha256, now=clock()
    )
    return catalog.publish_dataset(user=sven, dataset=made, now=clock())


@pytest.fixture
def keyring(rosa: User, now: datetime) -> Keyring:
    """Return an active key of Rosa's; how one is proved is tested in accounts."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key = ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=public,
        fingerprint="ab" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    return Keyring(secret=private.private_bytes_raw(), key=key)


@pytest.fixture
def approved(rosa: User, ira: User, dataset: Dataset, clock: Clock) -> AccessRequest:
    """Return an approved request of Rosa's for the whole dataset."""
    access = gemmule.access.services
    project = access.create_project(
        user=rosa, title="Hearts", lay_summary="About hearts.", now=clock()
    )
    draft = access.draft_request(
        user=rosa, project=project, dataset=dataset, now=clock()
    )
    draft = access.update_draft(
        user=rosa, request=draft, purpose=cohorts.PURPOSE, justification="Hearts."
    )
    submitted = access.submit(user=rosa, request=draft, now=clock())
    return reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(clock() + timedelta(days=365)).date(),
        resolve=[],
        password=PASSWORD,
        now=clock(),
    )


@pytest.fixture
def release(
    rosa: User, approved: AccessRequest, keyring: Keyring, clock: Clock
) -> Release:
    """Return a release that waits for a worker."""
    return services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )


@pytest.fixture
def built(release: Release, clock: Clock) -> Release:
    """Return the release built, on the ledger and available."""
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    return release


@pytest.fixture
def variants(built: Release) -> ReleaseFile:
    """Return the release's file of variants."""
    return built.files.get(role="variants")
