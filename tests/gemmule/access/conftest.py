"""A project of Rosa's and a dataset of 60 donors, most of them generous."""

from collections.abc import Callable
from datetime import datetime

import pytest

from gemmule.access import services
from gemmule.access.models import AccessRequest, Project
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from tests import cohorts


@pytest.fixture
def dataset(sven: User, signe: User, now: datetime) -> Dataset:
    """Return 40 donors for all research, 15 under an ethics condition, 5 others."""
    wishes = (
        [cohorts.GENERAL] * 40
        + [cohorts.NEEDS_ETHICS] * 15
        + [{"permission": "POA"}] * 5
    )
    return cohorts.dataset(
        cohorts.donors(wishes, now), steward=sven, second=signe, now=now
    )


@pytest.fixture
def project(rosa: User, now: datetime) -> Project:
    return services.create_project(
        user=rosa,
        title="Genes of the heart",
        lay_summary="We look for genes that protect the heart.",
        now=now,
    )


@pytest.fixture
def draft(
    rosa: User, project: Project, dataset: Dataset, now: datetime
) -> AccessRequest:
    """Return a complete draft that 40 donors allow today."""
    made = services.draft_request(user=rosa, project=project, dataset=dataset, now=now)
    return services.update_draft(
        user=rosa,
        request=made,
        purpose={**cohorts.PURPOSE, "ethics_approval": "unverified"},
        justification="We need many hearts.",
    )


@pytest.fixture
def submitted(rosa: User, draft: AccessRequest, now: datetime) -> AccessRequest:
    return services.submit(user=rosa, request=draft, now=now)


@pytest.fixture
def submit_with(
    rosa: User, project: Project, dataset: Dataset, now: datetime
) -> Callable[..., AccessRequest]:
    """Return a function that submits a request with other words of purpose."""

    def make(**purpose: object) -> AccessRequest:
        made = services.draft_request(
            user=rosa, project=project, dataset=dataset, now=now
        )
        made = services.update_draft(
            user=rosa,
            request=made,
            purpose={**cohorts.PURPOSE, **purpose},
            justification="We need many hearts.",
        )
        return services.submit(user=rosa, request=made, now=now)

    return make
