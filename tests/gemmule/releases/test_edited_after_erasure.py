"""An erasure leaves approvals and sample maps as they can be checked."""

import uuid
from datetime import timedelta

import pytest

import consent.services
import gemmule.access.services
from consent.models import Donor
from gemmule.access import approvals, reviews
from gemmule.access.errors import ApprovalAltered
from gemmule.access.models import Resolution
from gemmule.accounts.models import User
from gemmule.catalog import statements
from gemmule.catalog.errors import RegistrationAltered
from gemmule.catalog.models import Dataset, Sample
from gemmule.demo.cast import PASSWORD
from tests import cohorts
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.test_edited_rows import (
    ANCESTRY,
    OF_A_KIND,
    donors,
    standing,
)

__all__ = ["donors"]
pytestmark = pytest.mark.django_db


def test_a_resolution_survives_the_erasure_of_another_donor(
    rosa: User,
    ira: User,
    ingrid: User,
    dataset: Dataset,
    donors: list[Donor],
    clock: Clock,
) -> None:
    """What the reviewer signed has a digest over all; each stands by itself, too."""
    consent.services.withdraw(donor=donors[ANCESTRY], event=uuid.uuid4(), now=clock())
    cohorts.agree(donors[ANCESTRY], OF_A_KIND, clock())
    project = gemmule.access.services.create_project(
        user=rosa, title="Hearts", lay_summary="About hearts.", now=clock()
    )
    draft = gemmule.access.services.draft_request(
        user=rosa, project=project, dataset=dataset, now=clock()
    )
    draft = gemmule.access.services.update_draft(
        user=rosa, request=draft, purpose=cohorts.PURPOSE, justification="Hearts."
    )
    submitted = gemmule.access.services.submit(user=rosa, request=draft, now=clock())
    reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(clock() + timedelta(days=365)).date(),
        resolve=["RS"],
        password=PASSWORD,
        now=clock(),
    )
    signed = reviews.countersign(
        reviewer=ingrid,
        request=submitted,
        reason="Sound.",
        password=PASSWORD,
        now=clock(),
    )
    assert len(approvals.open_approval(signed).resolved) == 2
    Donor.objects.filter(pk=donors[ANCESTRY].pk).update(erased_at=clock())
    Resolution.objects.filter(consent__donor=donors[ANCESTRY]).delete()
    assert len(approvals.open_approval(signed).resolved) == 1
    # Another clause in the place of the one that is gone was never signed.
    review = signed.reviews.get(decision="approve")
    Resolution.objects.create(
        review=review, consent=standing(donors[0]).get(), code="RS", rules="1"
    )
    with pytest.raises(ApprovalAltered, match="resolutions"):
        approvals.open_approval(signed)


def test_a_dataset_can_be_held_against_the_ledger_after_an_erasure(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    Donor.objects.filter(pk=donors[1].pk).update(erased_at=clock())
    statements.check_registration(dataset)
    names = Sample.objects.filter(dataset=dataset)
    names.filter(donor=donors[2]).update(source_name="HG99999")
    with pytest.raises(RegistrationAltered, match="samples"):
        statements.check_registration(dataset)
