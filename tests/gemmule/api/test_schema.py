"""The OpenAPI file: valid, checked in, complete, and open to everyone."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.test import Client

import gemmule.api.ledger_urls
import gemmule.api.urls
from gemmule.access.models import AccessRequest
from gemmule.releases.models import Release
from tests.gemmule.api.callers import Caller, assert_problem

ROOT = Path(__file__).resolve().parents[3]
CHECKED_IN = ROOT / "docs" / "api" / "openapi.yaml"
RENEW = "manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml"
# Addresses that describe the API instead of belonging to it.
UNDESCRIBED = {"schema", "docs", "unknown"}
# What anybody may read, by whatever tool.
PUBLIC = {"/ledger/checkpoint", "/ledger/policy", "/ledger/tile/{tile}"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(CHECKED_IN.read_text())
    return found


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_checked_in_file_is_the_one_the_code_gives() -> None:
    # Also fails on any warning, and on what is no valid OpenAPI 3.1.
    fresh = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=fresh)
    assert fresh.getvalue().strip() == CHECKED_IN.read_text().strip(), (
        f"docs/api/openapi.yaml is stale; renew it with: uv run {RENEW}"
    )


def test_command_to_renew_it_is_a_listed_chore() -> None:
    assert RENEW in (ROOT / "CONTRIBUTING.md").read_text()


def test_it_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1.")


def test_every_address_is_described(schema: dict[str, Any]) -> None:
    routes = {
        str(one.pattern)
        for one in (
            *gemmule.api.urls.urlpatterns,
            *gemmule.api.ledger_urls.urlpatterns,
        )
        if one.name not in UNDESCRIBED
    }
    assert len(schema["paths"]) == len(routes)


def test_every_operation_takes_a_token_and_names_its_refusals(
    schema: dict[str, Any],
) -> None:
    for path, method, operation in operations(schema):
        where = f"{method} {path}"
        answers = operation["responses"]
        if path in PUBLIC:
            assert operation["security"] == [{}], where
            assert not {"401", "403"} & set(answers), where
        else:
            assert operation["security"] == [{"knoxApiToken": []}], where
            assert {"401", "403"} <= set(answers), where
            if operation.get("deprecated"):
                assert set(answers) == {"401", "403"}, f"{where} does something"
                continue
            assert ("404" in answers) == ("{" in path), where
        assert ("400" in answers) or method == "get", where
        for number, answer in answers.items():
            if int(number) >= 400:
                (media,) = answer["content"]
                assert media == "application/problem+json", where
                reference = answer["content"][media]["schema"]["$ref"]
                assert reference == "#/components/schemas/Problem", where


def test_lists_say_how_they_are_paged(schema: dict[str, Any]) -> None:
    lists = [
        operation
        for _, _, operation in operations(schema)
        if operation["operationId"].endswith("_list")
    ]
    assert len(lists) == 5
    for operation in lists:
        names = {one["name"] for one in operation["parameters"]}
        assert names == {"cursor", "page_size"}
        shown = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert shown["$ref"].startswith("#/components/schemas/Paginated")


def test_every_post_takes_an_idempotency_key(
    schema: dict[str, Any],
) -> None:
    without = [
        operation["operationId"]
        for _, method, operation in operations(schema)
        if method == "post"
        and not operation.get("deprecated")
        and "Idempotency-Key"
        not in {one["name"] for one in operation.get("parameters", [])}
    ]
    assert without == []


def test_the_scheme_is_the_token(schema: dict[str, Any]) -> None:
    (scheme,) = schema["components"]["securitySchemes"].values()
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")


@pytest.mark.django_db
def test_it_is_served_to_everyone() -> None:
    answer = Client().get("/api/v1/schema/")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content) == yaml.safe_load(CHECKED_IN.read_text())


# --- the answers are what the file says ---------------------------------------------


def fits(schema: dict[str, Any], name: str, value: object) -> None:
    """Fail unless the value is what the schema says of the component."""
    whole = {**schema, "$ref": f"#/components/schemas/{name}"}
    jsonschema.Draft202012Validator(whole).validate(value)


@pytest.mark.django_db
def test_answers_fit_the_file(
    schema: dict[str, Any], as_rosa: Caller, available: Release
) -> None:
    request: AccessRequest = available.request
    for path, name in (
        ("/datasets/", "PaginatedDatasetList"),
        (f"/datasets/{request.dataset.accession}/", "Dataset"),
        ("/projects/", "PaginatedProjectList"),
        (f"/projects/{request.project.accession}/", "Project"),
        ("/requests/", "PaginatedRequestList"),
        (f"/requests/{request.accession}/", "Request"),
        (f"/requests/{request.accession}/verdict/", "Verdict"),
        ("/keys/", "PaginatedKeyList"),
        ("/releases/", "PaginatedReleaseList"),
        (f"/releases/{available.accession}/", "Release"),
    ):
        answer = as_rosa.get(path)
        assert answer.status_code == 200
        fits(schema, name, answer.json())
    for problem in (
        as_rosa.get("/requests/GMQ0000000/"),
        as_rosa.post("/projects/", {"lead": "me"}),
        Caller().get("/projects/"),
    ):
        fits(schema, "Problem", assert_problem(problem, problem.status_code))
    with pytest.raises(jsonschema.ValidationError):
        fits(schema, "Problem", {"title": "no status"})
