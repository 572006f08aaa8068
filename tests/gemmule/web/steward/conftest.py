"""A dataset at each step on its way, and a store of its own for each test."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from gemmule.accounts.models import User
from gemmule.catalog import services
from gemmule.catalog.models import Dataset
from gemmule.catalog.states import Stage
from tests.gemmule.catalog.callsets import DESCRIPTION, vcf
from tests.gemmule.web.steward.pages import add, csv_of


@pytest.fixture(autouse=True)
def _store(tmp_path: Any, settings: Settings) -> None:
    settings.STORE_DIR = tmp_path / "store"


@pytest.fixture
def draft(sven: User, now: datetime) -> Dataset:
    """Return a dataset without any file."""
    return services.register_dataset(user=sven, description=DESCRIPTION, now=now)


@pytest.fixture
def dataset(draft: Dataset, sven: User, now: datetime) -> Dataset:
    """Return a draft with one accepted file of three samples and no map."""
    add(draft, sven, vcf(), now)
    return draft


@pytest.fixture
def mapped(dataset: Dataset, sven: User, now: datetime) -> Dataset:
    """Return the dataset with a map that Sven sent."""
    data = csv_of(dataset, now)
    return services.upload_sample_map(user=sven, dataset=dataset, data=data, now=now)


@pytest.fixture
def confirmed(mapped: Dataset, signe: User, now: datetime) -> Dataset:
    """Return the dataset after Signe confirmed the map."""
    return services.confirm_sample_map(
        user=signe, dataset=mapped, map_sha256=mapped.map_sha256, now=now
    )


@pytest.fixture
def at_stage(
    confirmed: Dataset, sven: User, now: datetime
) -> Callable[[Stage], Dataset]:
    """Return a function that brings the dataset to a stage."""

    def bring(stage: Stage) -> Dataset:
        if stage is Stage.OPEN:
            return services.reopen_dataset(user=sven, dataset=confirmed)
        if stage is Stage.PUBLISHED:
            return services.publish_dataset(user=sven, dataset=confirmed, now=now)
        return confirmed

    return bring
