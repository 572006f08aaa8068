"""/api/v1/datasets/ and /projects/: the catalogue, and who may start what."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

import ledger.rollback
from gemmule.access import services
from gemmule.access.models import Project, ProjectMember
from gemmule.accounts.models import User
from gemmule.catalog.models import DataFile, DataFileState, Dataset, DatasetState
from tests import cohorts
from tests.gemmule.api.callers import Caller, assert_problem

pytestmark = pytest.mark.django_db

HEARTS = {"title": "Hearts", "lay_summary": "Which genes protect the heart?"}


# --- datasets ------------------------------------------------------------------


@pytest.mark.parametrize("who", ["rosa", "ira", "ingrid", "sven", "aud"])
def test_everyone_with_a_token_sees_the_card_of_a_dataset(
    as_someone: Callable[[str], Caller], dataset: Dataset, who: str
) -> None:
    DataFile.objects.create(
        dataset=dataset,
        number=1,
        state=DataFileState.ACCEPTED,
        size_bytes=1,
        sha256_store="33" * 32,
        uploaded_by=dataset.steward,
        uploaded_at=dataset.created_at,
    )
    answer = as_someone(who).get(f"/datasets/{dataset.accession}/")
    assert answer.json() == {
        "accession": dataset.accession,
        "title": dataset.title,
        "summary": dataset.summary,
        "build": "GRCh37",
        "published_at": answer.json()["published_at"],
        "files": 1,
        "held": "",
    }
    listed = as_someone(who).get("/datasets/").json()["results"]
    assert listed == [answer.json()]


def test_a_draft_is_as_unknown_as_what_never_was(
    as_rosa: Caller, dataset: Dataset
) -> None:
    Dataset.objects.update(state=DatasetState.DRAFT)
    assert as_rosa.get("/datasets/").json()["results"] == []
    for accession in (dataset.accession, "GMD0000000"):
        answer = as_rosa.get(f"/datasets/{accession}/")
        assert_problem(answer, 404, says=f"no published dataset {accession}")


def test_a_list_of_datasets_takes_the_same_queries_however_long(
    as_rosa: Caller,
    sven: User,
    signe: User,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (1, 4):
        for _ in range(count):
            cohorts.dataset([], steward=sven, second=signe, now=now)
        ledger.rollback.check()  # So that the next comparison is a second away.
        with django_assert_num_queries(3):  # The token, the page, the log's length.
            as_rosa.get("/datasets/")


# --- projects ------------------------------------------------------------------


def test_a_researcher_starts_a_project(as_rosa: Caller, rosa: User) -> None:
    answer = as_rosa.post("/projects/", HEARTS)
    assert answer.status_code == 201
    made = Project.objects.get()
    assert rosa.institution is not None
    assert answer.json() == {
        **HEARTS,
        "accession": made.accession,
        "institution": rosa.institution.name,
        "created_at": answer.json()["created_at"],
    }
    assert made.lead == rosa
    assert as_rosa.get(f"/projects/{made.accession}/").json() == answer.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": " ", "lay_summary": "x"}, "title"),
        ({"title": "x" * 201, "lay_summary": "x"}, "title"),
        ({"title": "x"}, "lay_summary"),
        ({"title": "x", "lay_summary": None}, "lay_summary"),
        ({"title": ["x"], "lay_summary": "x"}, "title"),
    ],
)
def test_a_project_without_words_is_refused(
    as_rosa: Caller, body: dict[str, Any], field: str
) -> None:
    problem = assert_problem(
        as_rosa.post("/projects/", body), 400, code="invalid", field=field
    )
    assert problem["detail"].startswith(f"{field}: ")
    assert field in problem["errors"]
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    "field",
    ["accession", "institution", "created_at", "lead", "pseudonym_key", "id", "x" * 99],
)
def test_a_field_that_is_not_listed_is_refused(as_rosa: Caller, field: str) -> None:
    answer = as_rosa.post("/projects/", {**HEARTS, field: "mine"})
    assert_problem(answer, 400, says="title, lay_summary", field=field[:40])
    assert not Project.objects.exists()


@pytest.mark.parametrize("who", ["ira", "ingrid", "sven", "aud"])
def test_only_researchers_have_projects(
    as_someone: Callable[[str], Caller], project: Project, who: str
) -> None:
    other = as_someone(who)
    for answer in (
        other.get("/projects/"),
        other.post("/projects/", HEARTS),
        other.get(f"/projects/{project.accession}/"),
        other.get("/projects/GMP0000000/"),
    ):
        assert_problem(answer, 403, says="Researcher", code="not-allowed")
    assert Project.objects.count() == 1


def test_a_colleague_sees_the_project_and_a_rival_does_not(
    as_rosa: Caller, as_rival: Caller, project: Project, rosa: User, now: datetime
) -> None:
    assert len(as_rosa.get("/projects/").json()["results"]) == 1
    assert as_rival.get("/projects/").json()["results"] == []
    rival = User.objects.get(name="Rival")
    services.add_member(user=rosa, project=project, member=rival, now=now)
    listed = as_rival.get("/projects/").json()["results"]
    assert [one["accession"] for one in listed] == [project.accession]


def test_pages_follow_each_other_and_hold_each_project_once(
    as_rosa: Caller, rosa: User, now: datetime
) -> None:
    made = [
        services.create_project(user=rosa, title=f"{n}", lay_summary="x", now=now)
        for n in range(7)
    ]
    seen: list[str] = []
    path: str | None = "/projects/?page_size=3"
    while path:
        body = as_rosa.get(path).json()
        if len(seen) == 3:
            # One more while somebody reads moves nothing out of sight.
            services.create_project(user=rosa, title="8", lay_summary="x", now=now)
        seen += [one["accession"] for one in body["results"]]
        path = body["next"] and body["next"].partition("/api/v1")[2]
    assert seen == [one.accession for one in reversed(made)]
    assert body["previous"]


def test_a_page_holds_200_rows_at_most(as_rosa: Caller, rosa: User) -> None:
    institution = rosa.institution
    assert institution is not None
    rows = Project.objects.bulk_create(
        Project(
            accession=f"GMP{number:07d}",
            title="x",
            lay_summary="x",
            institution=institution,
            lead=rosa,
            created_at=rosa.date_joined,
        )
        for number in range(201)
    )
    ProjectMember.objects.bulk_create(
        ProjectMember(project=row, user=rosa, added_at=rosa.date_joined) for row in rows
    )
    for asked, shown in (("1000", 200), ("0", 50), ("-1", 50), ("x", 50), ("7", 7)):
        body = as_rosa.get(f"/projects/?page_size={asked}").json()
        assert len(body["results"]) == shown


def test_a_list_of_projects_takes_the_same_queries_however_long(
    as_rosa: Caller,
    rosa: User,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (1, 4):
        for _ in range(count):
            services.create_project(user=rosa, title="x", lay_summary="x", now=now)
        with django_assert_num_queries(3):  # Token, role, page.
            as_rosa.get("/projects/")
