"""A request's way from draft to the IRB, and what is refused on it."""

from datetime import datetime

import pytest

import ledger.selectors
from gemmule.access import purposes, services
from gemmule.access.errors import RequestInvalid, RequestStateError
from gemmule.access.models import AccessRequest, Project, RequestState
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.catalog.models import Dataset, DatasetState
from gemmule.notices.models import Notice
from tests import cohorts, factories

pytestmark = pytest.mark.django_db


def test_project_belongs_to_the_institution_of_its_lead(
    rosa: User, project: Project
) -> None:
    assert project.institution == rosa.institution
    assert project.lead == rosa
    assert list(project.members.all()) == [rosa]


def test_only_researchers_make_projects(sam: User, ada: User, now: datetime) -> None:
    for stranger in (sam, ada):
        with pytest.raises(NotAllowed):
            services.create_project(
                user=stranger, title="Mine", lay_summary="Mine.", now=now
            )
    assert not Project.objects.exists()


@pytest.mark.parametrize("field", ["title", "lay_summary"])
def test_project_without_words_is_refused(
    rosa: User, now: datetime, field: str
) -> None:
    words = {"title": "Hearts", "lay_summary": "About hearts."} | {field: "  "}
    with pytest.raises(RequestInvalid) as refused:
        services.create_project(user=rosa, now=now, **words)
    assert refused.value.field == field


def test_only_the_lead_takes_members_in(
    rosa: User, project: Project, now: datetime
) -> None:
    other = factories.person(Role.RESEARCHER)
    with pytest.raises(NotFound):
        services.add_member(user=other, project=project, member=other, now=now)
    services.add_member(user=rosa, project=project, member=other, now=now)
    services.add_member(user=rosa, project=project, member=other, now=now)
    assert project.memberships.count() == 2
    with pytest.raises(NotAllowed):
        services.add_member(user=other, project=project, member=rosa, now=now)


def test_only_researchers_become_members(
    rosa: User, project: Project, ira: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        services.add_member(user=rosa, project=project, member=ira, now=now)


def test_a_dataset_that_is_not_published_cannot_be_asked_for(
    rosa: User, project: Project, dataset: Dataset, now: datetime
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(state=DatasetState.DRAFT)
    dataset.refresh_from_db()
    with pytest.raises(RequestInvalid, match="not published"):
        services.draft_request(user=rosa, project=project, dataset=dataset, now=now)


def test_stranger_sees_no_project_to_ask_for(
    project: Project, dataset: Dataset, now: datetime
) -> None:
    other = factories.person(Role.RESEARCHER)
    with pytest.raises(NotFound):
        services.draft_request(user=other, project=project, dataset=dataset, now=now)


def test_submitting_records_the_verdict_and_tells_the_irb(
    submitted: AccessRequest, ira: User, rosa: User, now: datetime
) -> None:
    assert submitted.state == RequestState.SUBMITTED
    assert submitted.submitted_by == rosa
    assert submitted.verdict is not None
    counts = {name: submitted.verdict[name] for name in ("permitted", "review")}
    assert counts == {"permitted": 40, "review": 15}
    assert submitted.event_submitted is not None
    entry = ledger.selectors.entry(submitted.event_submitted)
    assert entry.type == "access.submitted"
    assert entry.pub["duo"] == ["HMB"]
    assert entry.pub["dataset"] == submitted.dataset.accession


def test_irb_members_find_a_notice(
    ira: User, ingrid: User, submitted: AccessRequest
) -> None:
    told = Notice.objects.filter(kind="request.submitted").values_list(
        "user__email", flat=True
    )
    assert set(told) == {ira.email, ingrid.email}


def test_a_request_without_purpose_is_refused_and_stays_a_draft(
    rosa: User, draft: AccessRequest, now: datetime
) -> None:
    services.update_draft(user=rosa, request=draft, purpose={"countries": ["SE"]})
    with pytest.raises(RequestInvalid, match="research type or disease") as refused:
        services.submit(user=rosa, request=draft, now=now)
    assert refused.value.field == "research_types"
    draft.refresh_from_db()
    assert draft.state == RequestState.DRAFT
    assert draft.event_submitted is None


@pytest.mark.parametrize(
    ("missing", "field"),
    [("countries", "countries"), ("organisation", "organisation")],
)
def test_what_nobody_could_decide_on_is_asked_for(
    rosa: User, draft: AccessRequest, now: datetime, missing: str, field: str
) -> None:
    purpose = {key: value for key, value in draft.purpose.items() if key != missing}
    services.update_draft(user=rosa, request=draft, purpose=purpose)
    with pytest.raises(RequestInvalid) as refused:
        services.submit(user=rosa, request=draft, now=now)
    assert refused.value.field == field


def test_a_request_needs_a_justification(
    rosa: User, draft: AccessRequest, now: datetime
) -> None:
    services.update_draft(user=rosa, request=draft, justification=" ")
    with pytest.raises(RequestInvalid) as refused:
        services.submit(user=rosa, request=draft, now=now)
    assert refused.value.field == "justification"


@pytest.mark.parametrize(
    "purpose",
    [
        {"diseases": ["MONDO:9999999"]},
        {"diseases": ["the flu"]},
        {"research_types": ["curiosity"]},
        {"ethics_approval": "verified"},
        {"institution": "https://ror.org/012345678"},
        {"favourite_gene": "BRCA1"},
        {"countries": ["Sweden"]},
    ],
)
def test_a_purpose_that_cannot_be_read_changes_nothing(
    rosa: User, draft: AccessRequest, purpose: dict[str, object]
) -> None:
    before = draft.purpose
    with pytest.raises(RequestInvalid):
        services.update_draft(user=rosa, request=draft, purpose=purpose)
    draft.refresh_from_db()
    assert draft.purpose == before


def test_regions_are_read_as_genes_and_bed(rosa: User, draft: AccessRequest) -> None:
    changed = services.update_draft(
        user=rosa, request=draft, regions_text="fam110c\n2\t100000\t200000\n"
    )
    assert changed.regions == [["2", 38813, 46505], ["2", 100000, 200000]]


def test_an_unknown_gene_is_named_with_what_is_spelt_alike(
    rosa: User, draft: AccessRequest
) -> None:
    with pytest.raises(RequestInvalid, match="BRCA1") as refused:
        services.update_draft(user=rosa, request=draft, regions_text="BRCA11")
    assert refused.value.field == "regions_text"


def test_a_submitted_request_cannot_be_changed(
    rosa: User, submitted: AccessRequest
) -> None:
    with pytest.raises(RequestStateError, match="with the irb"):
        services.update_draft(user=rosa, request=submitted, justification="More!")


def test_a_second_submission_is_refused(
    rosa: User, submitted: AccessRequest, now: datetime
) -> None:
    with pytest.raises(RequestStateError):
        services.submit(user=rosa, request=submitted, now=now)


def test_a_barred_country_is_refused(
    rosa: User, draft: AccessRequest, dataset: Dataset, now: datetime
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(barred_countries=["SE"])
    with pytest.raises(RequestInvalid, match="SE"):
        services.submit(user=rosa, request=draft, now=now)


def test_a_country_in_small_letters_is_barred_too(
    rosa: User, draft: AccessRequest, dataset: Dataset, now: datetime
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(barred_countries=["SE"])
    purpose = {**draft.purpose, "countries": ["se"]}
    services.update_draft(user=rosa, request=draft, purpose=purpose)
    with pytest.raises(RequestInvalid, match="SE"):
        services.submit(user=rosa, request=draft, now=now)


def test_closing_ends_a_request(
    rosa: User, submitted: AccessRequest, now: datetime
) -> None:
    closed = services.close(user=rosa, request=submitted, now=now)
    assert closed.state == RequestState.CLOSED
    with pytest.raises(RequestStateError):
        services.close(user=rosa, request=closed, now=now)


def test_purpose_tells_the_decision_who_and_where(
    rosa: User, project: Project, draft: AccessRequest
) -> None:
    User.objects.filter(pk=rosa.pk).update(orcid="0000-0002-1825-0097")
    from_request = purposes.full_purpose(draft)
    assert from_request.project == project.accession
    assert from_request.users == ("0000-0002-1825-0097",)
    assert cohorts.PURPOSE["countries"] == list(from_request.countries)
