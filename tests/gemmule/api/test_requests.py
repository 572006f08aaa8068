"""/api/v1/requests/: drafting, changing, submitting."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

import gemmule.access.services
from gemmule.access import reviews
from gemmule.access.models import AccessRequest, Project, RequestState
from gemmule.access.purposes import STATED
from gemmule.accounts.models import User
from gemmule.api.purpose_field import PURPOSE_SCHEMA
from gemmule.catalog.models import Dataset, DatasetState
from gemmule.demo.cast import PASSWORD
from tests import cohorts
from tests.gemmule.api.callers import Caller, assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def body(project: Project, dataset: Dataset) -> dict[str, Any]:
    return {
        "project": project.accession,
        "dataset": dataset.accession,
        "purpose": cohorts.PURPOSE,
        "regions": "FAM110C",
        "justification": "We need many hearts.",
    }


def test_a_researcher_drafts_changes_and_submits(
    as_rosa: Caller, body: dict[str, Any]
) -> None:
    made = as_rosa.post("/requests/", body)
    assert made.status_code == 201
    path = f"/requests/{made.json()['accession']}/"
    assert made.json() == {
        **body,
        "accession": made.json()["accession"],
        "state": "draft",
        "submitted_at": None,
        "decided_at": None,
        "expires_on": None,
        "event_submitted": None,
        "event_decided": None,
    }
    changed = as_rosa.patch(path, {"justification": "More hearts.", "regions": ""})
    assert changed.json() == {
        **made.json(),
        "justification": "More hearts.",
        "regions": "",
    }
    for typed in ("fam110c", "chr2:38,814-46,505", "2\t38813\t46505"):
        as_rosa.patch(path, {"regions": typed})
        assert AccessRequest.objects.get().regions == [["2", 38813, 46505]]
    as_rosa.patch(path, {"regions": ""})
    sent = as_rosa.post(f"{path}submit/")
    assert sent.status_code == 200
    assert sent.json()["state"] == "submitted"
    assert as_rosa.get(path).json() == sent.json()


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"purpose": {"diseases": ["MONDO:9999999"]}}, "purpose.diseases", "MONDO"),
        ({"purpose": {"diseases": ["the flu"]}}, "purpose.diseases", "by name"),
        ({"purpose": {"research_types": ["fun"]}}, "purpose", "known are general"),
        ({"purpose": {"favourite_gene": "X"}}, "purpose", "known are"),
        ({"purpose": {"institution": "x"}}, "purpose", "known are"),
        ({"purpose": {"countries": "SE"}}, "purpose", "countries"),
        ({"purpose": {"countries": ["Narnia"]}}, "purpose.countries", "ISO 3166"),
        (
            {"purpose": {"ethics_approval": "verified"}},
            "purpose.ethics_approval",
            "the IRB turns",
        ),
        ({"purpose": ["general"]}, "purpose", "dictionary"),
        ({"purpose": None}, "purpose", "null"),
        ({"regions": "BRCA11"}, "regions", "BRCA1"),
        ({"regions": "HER2"}, "regions", "HER2 is an alias of ERBB2"),
        ({"regions": "2\t5\tx"}, "regions", "line 1"),
        ({"justification": "x" * 10_001}, "justification", "10000"),
        ({"project": "GMP0000000"}, "project", "make one first"),
        ({"dataset": "GMD0000000"}, "dataset", "no published dataset"),
        ({"dataset": None}, "dataset", "null"),
        ({"state": "approved"}, "state", "cannot be set"),
        ({"expires_on": "2099-01-01"}, "expires_on", "cannot be set"),
        ({"verdict": {}}, "verdict", "cannot be set"),
    ],
)
def test_a_draft_that_is_wrong_is_refused_whole(
    as_rosa: Caller, body: dict[str, Any], change: dict[str, Any], field: str, says: str
) -> None:
    answer = as_rosa.post("/requests/", body | change)
    assert_problem(answer, 400, says=says, code="invalid", field=field)
    assert not AccessRequest.objects.exists()


def test_each_gene_that_cannot_be_placed_is_named(
    as_rosa: Caller, body: dict[str, Any]
) -> None:
    answer = as_rosa.post("/requests/", body | {"regions": "FAM110C HER2\nchr17"})
    problem = assert_problem(answer, 400, says="(and 1 more)", field="regions")
    assert problem["errors"] == {
        "regions": [
            "line 1, column 2: HER2 is an alias of ERBB2: did you mean it?",
            "line 2, column 1: expected a gene symbol, got a chromosome; "
            "write it as BED: chromosome, start and end, parted by tabs",
        ]
    }


@pytest.mark.parametrize("missing", ["project", "dataset"])
def test_a_request_names_project_and_dataset(
    as_rosa: Caller, body: dict[str, Any], missing: str
) -> None:
    del body[missing]
    assert_problem(as_rosa.post("/requests/", body), 400, field=missing)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": {"diseases": ["MONDO:9999999"]}}, "purpose.diseases"),
        ({"regions": "BRCA11", "justification": "New."}, "regions"),
        ({"project": "GMP0000000"}, "project"),
        ({"dataset": "GMD0000000"}, "dataset"),
        ({"state": "approved"}, "state"),
        ({"submitted_by": 1}, "submitted_by"),
    ],
)
def test_a_change_that_is_wrong_changes_nothing(
    as_rosa: Caller, draft: AccessRequest, change: dict[str, Any], field: str
) -> None:
    path = f"/requests/{draft.accession}/"
    before = as_rosa.get(path).json()
    assert_problem(as_rosa.patch(path, change), 400, field=field)
    assert as_rosa.get(path).json() == before


def test_a_dataset_taken_out_of_the_catalogue_is_not_asked_for(
    as_rosa: Caller, body: dict[str, Any]
) -> None:
    Dataset.objects.update(state=DatasetState.DRAFT)
    assert_problem(as_rosa.post("/requests/", body), 400, field="dataset")
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": {}}, "purpose.research_types"),
        ({"purpose": {"research_types": ["general"]}}, "purpose.countries"),
        ({"justification": " "}, "justification"),
    ],
)
def test_an_incomplete_request_is_not_submitted(
    as_rosa: Caller, draft: AccessRequest, change: dict[str, Any], field: str
) -> None:
    as_rosa.patch(f"/requests/{draft.accession}/", change)
    answer = as_rosa.post(f"/requests/{draft.accession}/submit/")
    assert_problem(answer, 400, field=field)
    draft.refresh_from_db()
    assert draft.state == RequestState.DRAFT
    assert draft.event_submitted is None


@pytest.mark.parametrize("country", ["SE", "se", " Se "])
def test_a_barred_country_is_refused_however_it_is_written(
    as_rosa: Caller, draft: AccessRequest, country: str
) -> None:
    Dataset.objects.update(barred_countries=["SE"])
    purpose = {**draft.purpose, "countries": [country]}
    as_rosa.patch(f"/requests/{draft.accession}/", {"purpose": purpose})
    answer = as_rosa.post(f"/requests/{draft.accession}/submit/")
    assert_problem(answer, 400, says="SE", field="purpose.countries")


def test_submitting_takes_no_field(as_rosa: Caller, draft: AccessRequest) -> None:
    answer = as_rosa.post(f"/requests/{draft.accession}/submit/", {"state": "approved"})
    assert_problem(answer, 400, says="takes none", field="state")
    draft.refresh_from_db()
    assert draft.state == RequestState.DRAFT


def test_what_is_with_the_irb_cannot_be_changed_or_sent_again(
    as_rosa: Caller, submitted: AccessRequest
) -> None:
    path = f"/requests/{submitted.accession}/"
    for answer in (
        as_rosa.patch(path, {"justification": "More!"}),
        as_rosa.post(f"{path}submit/"),
    ):
        assert_problem(answer, 409, says="possible now", code="state")
    assert AccessRequest.objects.get().justification == submitted.justification


def test_a_returned_request_is_answered_and_sent_again(
    as_rosa: Caller, ira: User, submitted: AccessRequest, now: Any
) -> None:
    reviews.send_back(
        reviewer=ira, request=submitted, reason="Why?", password=PASSWORD, now=now
    )
    path = f"/requests/{submitted.accession}/"
    assert as_rosa.patch(path, {"justification": "So."}).json()["state"] == "returned"
    assert as_rosa.post(f"{path}submit/").json()["state"] == "submitted"


# --- who -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ira", "ingrid", "aud"])
def test_irb_and_auditors_read_what_was_submitted_and_write_nothing(
    as_someone: Callable[[str], Caller],
    as_rosa: Caller,
    draft: AccessRequest,
    body: dict[str, Any],
    who: str,
) -> None:
    reader, path = as_someone(who), f"/requests/{draft.accession}/"
    assert reader.get("/requests/").json()["results"] == []
    assert_problem(reader.get(path), 404)
    as_rosa.post(f"{path}submit/")
    assert reader.get(path).json() == as_rosa.get(path).json()
    assert len(reader.get("/requests/").json()["results"]) == 1
    for answer in (
        reader.post("/requests/", body),
        reader.patch(path, {"justification": "Mine."}),
        reader.post(f"{path}submit/"),
    ):
        assert_problem(answer, 403, says="Researcher", code="not-allowed")
    assert AccessRequest.objects.count() == 1


def test_a_rival_neither_reads_nor_writes(
    as_rival: Caller, draft: AccessRequest, body: dict[str, Any]
) -> None:
    path = f"/requests/{draft.accession}/"
    assert as_rival.get("/requests/").json()["results"] == []
    for answer in (
        as_rival.get(path),
        as_rival.get(f"{path}verdict/"),
        as_rival.patch(path, {"justification": "Mine."}),
        as_rival.post(f"{path}submit/"),
    ):
        assert_problem(answer, 404, code="not-found")
    # In a body, another's project reads like one that never was.
    theirs = assert_problem(as_rival.post("/requests/", body), 400, field="project")
    body["project"] = "GMP0000000"
    nobodys = assert_problem(as_rival.post("/requests/", body), 400, field="project")
    assert theirs["detail"] == nobodys["detail"].replace(
        "GMP0000000", draft.project.accession
    )


def test_stewards_have_no_business_with_requests(
    as_someone: Callable[[str], Caller], submitted: AccessRequest
) -> None:
    steward = as_someone("sven")
    for path in ("", f"{submitted.accession}/", f"{submitted.accession}/verdict/"):
        assert_problem(steward.get(f"/requests/{path}"), 403, code="not-allowed")


# --- the file and the list ---------------------------------------------------


def test_the_purpose_is_documented_field_by_field() -> None:
    assert set(PURPOSE_SCHEMA["properties"]) == STATED


def test_a_list_of_requests_takes_the_same_queries_however_long(
    as_rosa: Caller,
    rosa: User,
    project: Project,
    dataset: Dataset,
    now: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (1, 4):
        for _ in range(count):
            gemmule.access.services.draft_request(
                user=rosa, project=project, dataset=dataset, now=now
            )
        with django_assert_num_queries(4):  # Token, role twice, page.
            as_rosa.get("/requests/")
