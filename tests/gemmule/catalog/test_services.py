"""What a steward registers and says of a dataset, and what it never shows her."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.catalog import selectors, services
from gemmule.catalog.errors import (
    CatalogError,
    DatasetInvalid,
    DatasetStateError,
    SampleMapInvalid,
    UploadRefused,
)
from gemmule.catalog.models import DataFile, Dataset, DatasetState
from tests.gemmule.catalog.callsets import DESCRIPTION

pytestmark = pytest.mark.django_db


def test_registered_dataset_is_a_draft_that_only_stewards_see(
    sven: User, dataset: Dataset
) -> None:
    assert dataset.state == DatasetState.DRAFT
    assert dataset.accession.startswith("GMD")
    assert dataset not in selectors.published()
    with pytest.raises(NotFound):
        selectors.published_dataset(dataset.accession)
    assert selectors.dataset_for_steward(sven, dataset.accession) == dataset
    with pytest.raises(NotFound):
        selectors.dataset_for_steward(sven, "GMD0000000")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "   abc  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"summary": "short"}, "summary"),
        ({"build": "hg19"}, "build"),
        ({"build": ""}, "build"),
        ({"barred_countries": ["Sweden"]}, "barred_countries"),
        ({"barred_countries": ["SE", "x1"]}, "barred_countries"),
    ],
)
def test_wrong_description_names_its_field(
    sven: User, now: datetime, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(DatasetInvalid) as refused:
        services.register_dataset(
            user=sven, description=replace(DESCRIPTION, **change), now=now
        )
    assert refused.value.field == field
    assert not Dataset.objects.exists()


def test_description_changes_and_is_tidied(sven: User, dataset: Dataset) -> None:
    changed = services.describe_dataset(
        user=sven,
        dataset=dataset,
        description=replace(
            DESCRIPTION,
            title="  Another   title ",
            build="GRCh38",
            barred_countries=["US", "SE", "US"],
        ),
    )
    assert changed.title == "Another title"
    assert changed.build == "GRCh38"
    assert changed.barred_countries == ["SE", "US"]


def test_build_stays_once_a_file_was_checked_against_it(
    sven: User, accepted: DataFile
) -> None:
    with pytest.raises(DatasetInvalid, match="remove them before") as refused:
        services.describe_dataset(
            user=sven,
            dataset=accepted.dataset,
            description=replace(DESCRIPTION, build="GRCh38"),
        )
    assert refused.value.field == "build"


def test_steward_reads_no_genotype_back() -> None:
    returned = {
        name
        for name in vars(selectors)
        if any(word in name for word in ("genotype", "record", "variant"))
    }
    assert returned == set()


def test_errors_are_those_of_the_room() -> None:
    for error in (DatasetInvalid, DatasetStateError, SampleMapInvalid, UploadRefused):
        assert issubclass(error, CatalogError)
