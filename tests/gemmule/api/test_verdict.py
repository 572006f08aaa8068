"""/api/v1/requests/…/verdict/: how many donors allow it, never exactly."""

import json
import re
from collections.abc import Callable

import pytest

from gemmule.access.models import AccessRequest
from gemmule.catalog.models import DataFile
from tests.gemmule.access.conftest import dataset
from tests.gemmule.api.callers import Caller, assert_problem

__all__ = ["dataset"]  # 40 donors permit, 15 ask for a review, 5 deny.
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["rosa", "ira"])
def test_the_verdict_is_rounded_for_everyone(
    as_someone: Callable[[str], Caller], submitted: AccessRequest, who: str
) -> None:
    verdict = as_someone(who).get(f"/requests/{submitted.accession}/verdict/").json()
    assert verdict["total"] == "60"
    assert verdict["permitted"] == "40"
    assert verdict["review"] == "< 20"
    assert {one["donors"] for one in verdict["clauses"]} == {"< 20"}
    # 15 are under review and 5 say no: neither number stands anywhere.
    assert not re.search(r"\b(15|5)\b", json.dumps(verdict["clauses"]))


def test_a_request_that_says_nothing_has_no_verdict(
    as_rosa: Caller, draft: AccessRequest
) -> None:
    path = f"/requests/{draft.accession}/"
    as_rosa.patch(path, {"purpose": {}})
    answer = as_rosa.get(f"{path}verdict/")
    assert_problem(answer, 409, says="purpose.research_types", code="state")


@pytest.mark.parametrize(("who", "count"), [("rosa", None), ("ira", 12)])
def test_regions_outside_are_named_and_only_the_irb_learns_counts_of_the_source(
    as_someone: Callable[[str], Caller],
    submitted: AccessRequest,
    who: str,
    count: int | None,
) -> None:
    dataset = submitted.dataset
    DataFile.objects.create(
        dataset=dataset,
        number=1,
        state="accepted",
        sha256_store="1" * 64,
        size_bytes=1,
        records=12,
        megabases=[["2", 0, 12]],
        uploaded_by=dataset.steward,
        uploaded_at=dataset.created_at,
    )
    submitted.regions = [["2", 38_813, 138_813], ["17", 5, 9]]
    submitted.save()
    path = f"/requests/{submitted.accession}/verdict/"
    verdict = as_someone(who).get(path).json()
    assert verdict["regions_outside"] == [{"contig": "17", "start_0": 5, "end": 9}]
    assert verdict["is_empty"] is False
    # 100,000 bases at 28.4 variants in 1,000.
    assert verdict["records_expected"] == 2800
    assert verdict.get("source_records") == count
    submitted.regions = [["17", 5, 9]]
    submitted.save()
    verdict = as_someone(who).get(path).json()
    assert (verdict["is_empty"], verdict["records_expected"]) == (True, 0)
