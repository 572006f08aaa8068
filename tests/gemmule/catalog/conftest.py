"""A store of its own for each test, small call sets, and a dataset to put them in."""

import io
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

import consent.services
from gemmule.accounts.models import User
from gemmule.catalog import intake, services
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from tests.gemmule.catalog.callsets import DESCRIPTION, NAMES, Upload, vcf


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Settings) -> Path:
    """Return the empty folder in which this test keeps uploads and stores."""
    settings.STORE_DIR = tmp_path / "store"
    path: Path = settings.STORE_DIR
    return path


@pytest.fixture
def dataset(sven: User, now: datetime) -> Dataset:
    """Return a draft of Sven's without any file."""
    return services.register_dataset(user=sven, description=DESCRIPTION, now=now)


@pytest.fixture
def upload(sven: User, dataset: Dataset, now: datetime) -> Upload:
    """Return a function by which Sven uploads bytes."""
    default = dataset

    def send(
        data: bytes, name: str = "calls.vcf", *, dataset: Dataset | None = None
    ) -> DataFile:
        return services.upload_file(
            user=sven,
            dataset=dataset or default,
            stream=io.BytesIO(data),
            original_name=name,
            now=now,
        )

    return send


@pytest.fixture
def check(now: datetime) -> Callable[[DataFile], DataFile]:
    """Return a function that checks a file in a child process and reads it anew."""

    def run(file: DataFile) -> DataFile:
        intake.check(file.pk, clock=lambda: now)
        file.refresh_from_db()
        return file

    return run


@pytest.fixture
def accepted(upload: Upload, check: Callable[[DataFile], DataFile]) -> DataFile:
    """Return the dataset's first file, of three samples, accepted."""
    file = check(upload(vcf()))
    assert file.state == DataFileState.ACCEPTED, file.refusal
    return file


@pytest.fixture
def donor_ids(now: datetime) -> list[UUID]:
    """Return three donors, one for each sample."""
    donors = consent.services.register_donors(count=len(NAMES), now=now)
    return [donor.pk for donor in donors]


@pytest.fixture
def sample_map(donor_ids: list[UUID]) -> bytes:
    """Return the CSV that maps the three samples to the three donors."""
    rows = zip(NAMES, donor_ids, strict=True)
    lines = ["sample,donor", *(f"{name},{donor}" for name, donor in rows)]
    return "\n".join(lines).encode()


@pytest.fixture
def mapped(
    sven: User, dataset: Dataset, accepted: DataFile, sample_map: bytes, now: datetime
) -> Dataset:
    """Return the dataset with an accepted file and a map that Sven sent."""
    return services.upload_sample_map(
        user=sven, dataset=dataset, data=sample_map, now=now
    )


@pytest.fixture
def confirmed(signe: User, mapped: Dataset, now: datetime) -> Dataset:
    """Return the dataset after Signe, the second steward, confirmed the map."""
    return services.confirm_sample_map(
        user=signe, dataset=mapped, map_sha256=mapped.map_sha256, now=now
    )


@pytest.fixture(scope="session")
def real_vcf() -> Callable[[str], bytes]:
    """Return a function that reads one of the real call sets by its name."""
    folder = resources.files("gemmule.demo") / "data"
    return lambda name: (folder / name).read_bytes()
