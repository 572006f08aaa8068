"""What a donor keeps back, in the files of a release that she is in."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import consent.services
from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.releases import build, cohort, services
from gemmule.releases.models import Release, ReleaseState
from tests import cohorts
from tests.gemmule.releases.cohort_file import private_position
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import columns, plaintext, positions

pytestmark = pytest.mark.django_db

HandedOver = Callable[[dict[str, Any]], tuple[Release, str]]


@pytest.fixture
def handed_over(
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
) -> HandedOver:
    """Return what seals and opens a release once donor 5 has withheld something."""

    def seal(wish: dict[str, Any]) -> tuple[Release, str]:
        consent.services.withdraw(donor=donors[5], event=uuid.uuid4(), now=clock())
        cohorts.agree(donors[5], cohorts.GENERAL, clock(), withheld=wish)
        release = services.open_release(
            user=rosa, request=approved, key=keyring.key, now=clock()
        )
        assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
        release.refresh_from_db()
        return release, plaintext(release.files.get(role="variants"), keyring)

    return seal


def test_what_a_donor_withholds_is_not_handed_over(handed_over: HandedOver) -> None:
    start = private_position(5) - 1
    release, text = handed_over(
        {
            "genes": [],
            "regions": [["2", 4999, 5000], ["2", start, start + 1]],
            "build": "GRCh37",
            "flank": 0,
            "mode": "missing",
        }
    )
    assert len(columns(text)) == 28
    assert private_position(5) not in positions(text)
    assert private_position(6) in positions(text)
    assert counts(release) == (1, 0)


def test_what_a_donor_closes_to_all_is_handed_over_of_nobody(
    handed_over: HandedOver,
) -> None:
    start = private_position(6) - 1
    release, text = handed_over(
        {
            "regions": [["chr2", start, start + 1]],
            "build": "GRCh37",
            "flank": 0,
            "mode": "exclude-region-for-all",
        }
    )
    assert len(columns(text)) == 28
    assert private_position(5) in positions(text)
    assert private_position(6) not in positions(text)
    assert counts(release) == (0, 1)


def test_what_only_she_carries_who_closes_a_region_is_not_even_counted(
    handed_over: HandedOver,
) -> None:
    start = private_position(5) - 1
    release, text = handed_over(
        {
            "regions": [["2", start, start + 1]],
            "build": "GRCh37",
            "flank": 0,
            "mode": "exclude-region-for-all",
        }
    )
    assert private_position(5) not in positions(text)
    assert counts(release) == (0, 0)


def counts(release: Release) -> tuple[int, int]:
    """Return how many genotypes and records its manifest says are withheld."""
    body = json.loads(bytes(release.manifest or b""))["manifest"]
    return body["genotypes_withheld"], body["records_withheld"]


def test_a_wish_that_cannot_be_placed_leaves_its_donor_out() -> None:
    wish = {"genes": ["NOSUCHGENE"], "regions": [], "flank": 0, "mode": "missing"}
    assert cohort.withheld_regions(wish, "GRCh37") is None
    assert cohort.withheld_regions({**wish, "genes": ["TMEM18"]}, "") is None
    assert cohort.withheld_regions({**wish, "genes": ["TMEM18"]}, "GRCh37") == (
        ("2", 663876, 677406),
    )
