"""/api/v1/requests/…/verdict/: how many donors allow it, never exactly."""

import json
import re
from collections.abc import Callable

import pytest

from gemmule.access.models import AccessRequest
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
