"""Whom a request reaches, and whom it would reach if it asked otherwise."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from gemmule.access import reviews
from gemmule.access.coverage import Coverage, alternatives, coverage
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from gemmule.demo.cast import PASSWORD
from tests import cohorts

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(sven: User, signe: User, now: datetime) -> Dataset:
    """Return donors of whom each change of the purpose would win some."""
    wishes: list[dict[str, Any] | None] = [
        *[cohorts.GENERAL] * 20,
        *[{"permission": "GRU", "modifiers": {"NPUNCU": True}}] * 30,
        *[cohorts.NEEDS_ETHICS] * 21,
        *[{"permission": "GRU", "modifiers": {"PUB": True}}] * 19,
        *[{"permission": "POA"}] * 3,
        None,
    ]
    return cohorts.dataset(
        cohorts.donors(wishes, now), steward=sven, second=signe, now=now
    )


@pytest.fixture
def greedy(submit_with: Callable[..., AccessRequest]) -> AccessRequest:
    """Return a request by a company that agrees to nothing."""
    return submit_with(
        organisation="for-profit", commercial=True, ethics_approval="unverified"
    )


def parts(found: Coverage) -> tuple[int, int, int]:
    return len(found.permitted), len(found.review), len(found.denied)


def test_every_donor_is_in_one_part(greedy: AccessRequest, now: datetime) -> None:
    found = coverage(greedy, now.date())
    assert parts(found) == (20, 21, 53)
    assert len(found.consents()) == found.total == 94
    assert list(found.consents().values()).count(None) == 1


def test_what_would_win_twenty_donors_or_more_is_told_largest_first(
    greedy: AccessRequest, now: datetime
) -> None:
    found = coverage(greedy, now.date())
    assert alternatives(greedy, now.date(), base=found) == [
        ("no company took part and no use were commercial", "30"),
        ("the IRB had seen an ethics approval", "20"),
    ]


def test_a_country_that_the_dataset_bars_stays_barred_whatever_changes(
    greedy: AccessRequest, dataset: Dataset, now: datetime
) -> None:
    Dataset.objects.update(barred_countries=["SE"])
    barred = AccessRequest.objects.get(pk=greedy.pk)
    found = coverage(barred, now.date())
    assert parts(found) == (0, 0, 94)
    assert alternatives(barred, now.date(), base=found) == []


def test_alternatives_read_nothing_that_the_coverage_read(
    greedy: AccessRequest,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    # The donors of the dataset, the people of the project, consents, resolutions.
    with django_assert_num_queries(4):
        found = coverage(greedy, now.date())
    # The people and the resolutions, not once for each of four changes.
    with django_assert_num_queries(2):
        alternatives(greedy, now.date(), base=found)


def test_an_approval_decides_on_the_donors_once(
    monkeypatch: pytest.MonkeyPatch, ira: User, greedy: AccessRequest, now: datetime
) -> None:
    asked: list[AccessRequest] = []

    def counted(request: AccessRequest, *args: object) -> Coverage:
        asked.append(request)
        return coverage(request, now.date())

    monkeypatch.setattr(reviews, "coverage", counted)
    approved = reviews.approve(
        reviewer=ira,
        request=greedy,
        reason="Sound.",
        expires_on=now.date().replace(year=now.year + 1),
        resolve=[],
        password=PASSWORD,
        now=now,
    )
    assert len(asked) == 1
    assert approved.verdict == coverage(approved, now.date()).to_json()


def test_a_proposal_is_kept_with_the_verdict_that_stands_until_the_second_signature(
    ira: User, ingrid: User, greedy: AccessRequest, now: datetime
) -> None:
    proposed = reviews.approve(
        reviewer=ira,
        request=greedy,
        reason="Sound.",
        expires_on=now.date().replace(year=now.year + 1),
        resolve=["IRB"],
        password=PASSWORD,
        now=now,
    )
    assert proposed.verdict is not None
    assert proposed.verdict == coverage(proposed, now.date()).to_json()
    assert proposed.verdict["permitted"] == 20
    approved = reviews.countersign(
        reviewer=ingrid, request=proposed, reason="Seen.", password=PASSWORD, now=now
    )
    assert approved.verdict is not None
    assert approved.verdict["permitted"] == 41
