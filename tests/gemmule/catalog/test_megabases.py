"""Where a dataset holds records, as intake counted them."""

from datetime import datetime

import pytest

from gemmule.accounts.models import User
from gemmule.catalog import megabases
from gemmule.catalog.models import DataFile, Dataset
from tests import cohorts
from tests.gemmule.catalog.callsets import Check, Upload, vcf

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(sven: User, signe: User, now: datetime) -> Dataset:
    return cohorts.dataset([], steward=sven, second=signe, now=now)


def add_file(
    dataset: Dataset, counts: list[tuple[str, int, int]], **more: object
) -> None:
    DataFile.objects.create(
        dataset=dataset,
        number=dataset.files.count() + 1,
        state="accepted",
        sha256_store="1" * 64,
        size_bytes=1,
        uploaded_by=dataset.steward,
        uploaded_at=dataset.created_at,
        **{
            "records": sum(records for *_, records in counts),
            "contigs": [["chr20", None, 7]],
            "megabases": [list(count) for count in counts],
            **more,
        },
    )


def test_intake_counts_the_records_of_each_megabase(
    upload: Upload, check: Check
) -> None:
    lines = vcf().decode().splitlines()
    for pos in (999_999, 1_000_000, 5_000_001):
        lines.append("\t".join(["2", str(pos), *lines[-1].split("\t")[2:]]))
    file = check(upload("\n".join([*lines, ""]).encode()))
    assert file.megabases == [["2", 0, 3], ["2", 1, 1], ["2", 5, 1]]


def test_regions_outside_are_those_that_no_span_touches(published: Dataset) -> None:
    add_file(published, [("chr20", 3, 5), ("chr20", 9, 1)])
    add_file(published, [("chrX", 0, 1)])
    outside = megabases.regions_outside(
        published,
        [
            ["17", 43_044_294, 43_125_483],
            ["20", 2_999_998, 2_999_999],
            ["20", 2_999_999, 3_000_000],  # the first base of megabase 3
            ["20", 6_000_000, 6_000_001],  # between megabases: not told
            ["20", 9_999_998, 9_999_999],
            ["20", 9_999_999, 10_000_000],
            ["X", 5, 6],
        ],
    )
    assert outside == [
        ("17", 43_044_294, 43_125_483),
        ("20", 2_999_998, 2_999_999),
        ("20", 9_999_999, 10_000_000),
    ]
    assert megabases.regions_outside(published, None) == []


def test_a_file_from_before_counts_may_hold_records_anywhere_on_its_contigs(
    published: Dataset,
) -> None:
    add_file(published, [], records=7)
    regions = [["20", 63_000_000, 63_000_001], ["21", 5, 6]]
    assert megabases.regions_outside(published, regions) == [("21", 5, 6)]
    assert megabases.source_records(published, regions) == 7


def test_of_a_dataset_without_files_nothing_lies_outside(published: Dataset) -> None:
    assert megabases.regions_outside(published, [["1", 5, 6]]) == []


def test_source_records_are_those_of_the_megabases_touched(published: Dataset) -> None:
    add_file(published, [("chr20", 3, 5), ("chr20", 4, 2), ("chr21", 3, 9)])
    count = megabases.source_records
    assert count(published, None) == 16
    assert count(published, [["20", 3_500_000, 3_600_000]]) == 5
    # Two regions of one megabase count its records once; a border counts both sides.
    assert (
        count(published, [["20", 3_500_000, 3_500_001], ["20", 3_600_000, 3_600_001]])
        == 5
    )
    assert count(published, [["20", 3_999_998, 4_000_000]]) == 7
    assert count(published, [["22", 5, 6]]) == 0
