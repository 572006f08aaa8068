"""Which requests a person finds in her lists."""

from datetime import datetime

import pytest

from gemmule.access import permissions, selectors, services
from gemmule.access.models import AccessRequest, Project
from gemmule.accounts.models import Role, User
from gemmule.catalog.models import Dataset
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def others(dataset: Dataset, rosa: User, now: datetime) -> AccessRequest:
    """Return a draft of a project in which Rosa has no part."""
    rival = factories.person(Role.RESEARCHER)
    rival.institution = rosa.institution
    project = services.create_project(
        user=rival, title="Lungs", lay_summary="x", now=now
    )
    return services.draft_request(user=rival, project=project, dataset=dataset, now=now)


def test_a_researcher_reads_what_her_projects_ask(
    rosa: User, draft: AccessRequest, others: AccessRequest
) -> None:
    assert list(selectors.requests_for(rosa)) == [draft]


def test_the_irb_reads_what_was_submitted_and_no_draft(
    ira: User, submitted: AccessRequest, others: AccessRequest
) -> None:
    assert list(selectors.requests_for(ira)) == [submitted]


def test_who_is_researcher_and_irb_keeps_her_own_drafts(
    rosa: User,
    ira: User,
    project: Project,
    draft: AccessRequest,
    dataset: Dataset,
    others: AccessRequest,
    now: datetime,
) -> None:
    factories.grant(rosa, Role.IRB_REVIEWER)
    # A colleague in the project must not double what is listed.
    services.add_member(
        user=rosa, project=project, member=factories.person(Role.RESEARCHER), now=now
    )
    sent = services.submit(user=rosa, request=draft, now=now)
    own = services.draft_request(user=rosa, project=project, dataset=dataset, now=now)
    found = list(selectors.requests_for(rosa))
    assert {one.pk for one in found} == {sent.pk, own.pk}
    assert len(found) == 2
    for one in found:
        permissions.check_may_read(rosa, one)


def test_who_is_a_researcher_no_more_reads_no_draft_as_irb(
    rosa: User, draft: AccessRequest
) -> None:
    factories.grant(rosa, Role.IRB_REVIEWER)
    rosa.role_grants.filter(role=Role.RESEARCHER).delete()
    assert list(selectors.requests_for(rosa)) == []
