"""Every refusal is problem+json and says what to do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from gemmule.access.models import AccessRequest, Project
from gemmule.accounts.models import User
from tests.gemmule.api.callers import Caller, assert_problem, caller

pytestmark = pytest.mark.django_db

ADDRESSES = (
    "/datasets/",
    "/datasets/GMD0000000/",
    "/projects/",
    "/projects/GMP0000000/",
    "/requests/",
    "/requests/GMQ0000000/",
    "/requests/GMQ0000000/verdict/",
    "/requests/GMQ0000000/submit/",
    "/keys/",
    "/keys/00000000-0000-4000-8000-000000000000/challenge/",
    "/keys/00000000-0000-4000-8000-000000000000/prove/",
    "/releases/",
    "/releases/GMR0000000/",
    "/releases/GMR0000000/manifest/",
    "/releases/GMR0000000/files/x.c4gh",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_without_a_token_gets_further(address: str) -> None:
    for answer in (Caller().get(address), Caller().post(address, {})):
        assert_problem(
            answer, 401, says="Authorization: Token", code="not-authenticated"
        )
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_an_unknown_token_is_refused() -> None:
    answer = Caller("0" * 64).get("/projects/")
    assert_problem(answer, 401, says="account page", code="authentication-failed")


def test_an_expired_token_is_told_apart_and_says_what_to_do(as_rosa: Caller) -> None:
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert_problem(as_rosa.get("/projects/"), 401, says="Make a new one under Account")
    assert_problem(as_rosa.post("/projects/", {"title": "x"}), 401, says="expired on")
    assert not Project.objects.exists()


def test_a_session_cookie_is_no_token(
    signed_in: Callable[[User], Client], rosa: User
) -> None:
    answer = signed_in(rosa).get("/api/v1/projects/")
    assert_problem(answer, 401, code="not-authenticated")


def test_a_closed_account_has_no_use_for_its_token(rosa: User) -> None:
    rosas = caller(rosa)
    User.objects.filter(pk=rosa.pk).update(is_active=False)
    assert_problem(rosas.get("/projects/"), 401)


def test_a_token_outlives_no_role(rosa: User) -> None:
    rosas = caller(rosa)
    rosa.role_grants.update(revoked_at=timezone.now())
    for address in ("/projects/", "/requests/", "/releases/", "/keys/"):
        assert_problem(rosas.get(address), 403, says="role Researcher")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/",
        "/",
        "/datasets",
        "/projects/%00/",
        "/projects/a'b/",
        "/keys/not-a-uuid/challenge/",
        "/releases/GMR0000000/files/..%2fkeys",
    ],
)
def test_an_unknown_address_is_a_problem_too(path: str) -> None:
    for answer in (Caller().get(path), Caller().post(path, {}), Caller().delete(path)):
        assert_problem(answer, 404, says="/api/v1/docs/", code="not-found")


@pytest.mark.parametrize(
    ("address", "method"),
    [
        ("/datasets/", "post"),
        ("/datasets/GMD0000000/", "delete"),
        ("/projects/", "delete"),
        ("/projects/GMP0000000/", "patch"),
        ("/requests/", "patch"),
        ("/requests/GMQ0000000/", "delete"),
        ("/requests/GMQ0000000/verdict/", "post"),
        ("/requests/GMQ0000000/submit/", "get"),
        ("/keys/", "delete"),
        ("/keys/00000000-0000-4000-8000-000000000000/challenge/", "post"),
        ("/keys/00000000-0000-4000-8000-000000000000/prove/", "get"),
        ("/releases/", "patch"),
        ("/releases/GMR0000000/", "delete"),
        ("/releases/GMR0000000/manifest/", "post"),
        ("/releases/GMR0000000/files/x.c4gh", "post"),
    ],
)
def test_a_wrong_method_is_refused_with_the_right_ones(
    as_rosa: Caller, address: str, method: str
) -> None:
    call = getattr(as_rosa, method)
    answer = call(address) if method in ("get", "delete") else call(address, {})
    assert_problem(answer, 405, code="method-not-allowed")
    assert "OPTIONS" in answer.headers["Allow"] or "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        '{"title": NaN}',
        '{"title": "\\ud800"}',
        '{"a\\u0000": 1}',
        "[" * 100_000,
        "\xff",
        f'{{"title": {"9" * 5000}}}',
    ],
)
def test_json_that_cannot_be_read_is_refused(as_rosa: Caller, body: str) -> None:
    answer = as_rosa.client.post(
        "/api/v1/projects/",
        body.encode("latin-1"),
        content_type="application/json",
        headers={"Authorization": f"Token {as_rosa.token}"},
    )
    assert_problem(answer, 400)
    assert not Project.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 7, [{"title": "x"}]])
def test_a_body_that_is_no_object_is_refused(as_rosa: Caller, body: object) -> None:
    assert_problem(as_rosa.post("/projects/", body), 400, says="dictionary")


def test_a_body_over_the_limit_is_refused(as_rosa: Caller) -> None:
    body = {"title": "x", "lay_summary": "y" * 3_000_000}
    assert_problem(as_rosa.post("/projects/", body), 413, code="too-large")


def test_a_form_is_refused(as_rosa: Caller) -> None:
    answer = as_rosa.client.post(
        "/api/v1/projects/",
        {"title": "x"},
        headers={"Authorization": f"Token {as_rosa.token}"},
    )
    assert_problem(answer, 415, code="unsupported-media-type")


def test_accept_changes_neither_answers_nor_problems(as_rosa: Caller) -> None:
    for accept in ("text/html", "application/octet-stream", "no/thing"):
        assert as_rosa.get("/projects/", accept=accept).json()["results"] == []
        assert_problem(as_rosa.get("/projects/GMP0000000/", accept=accept), 404)


@pytest.mark.parametrize("cursor", ["nonsense", "cD1hYmM=", "cD0lMDA="])
@pytest.mark.parametrize("address", ["/projects/", "/keys/"])
def test_a_cursor_made_by_hand_is_refused(
    as_rosa: Caller, address: str, cursor: str
) -> None:
    # They say the rows after "abc", and after a NUL: neither number nor time.
    answer = as_rosa.get(f"{address}?cursor={cursor}")
    assert_problem(answer, 400, says="next", field="cursor")


def test_what_is_not_yours_reads_like_what_is_not_there(
    as_rival: Caller, submitted: AccessRequest
) -> None:
    for theirs, nobodys in (
        (f"/projects/{submitted.project.accession}/", "/projects/GMP0000000/"),
        (f"/requests/{submitted.accession}/", "/requests/GMQ0000000/"),
        (f"/requests/{submitted.accession}/verdict/", "/requests/GMQ0000000/verdict/"),
    ):
        first, second = as_rival.get(theirs), as_rival.get(nobodys)
        said = assert_problem(first, 404, code="not-found")
        also = assert_problem(second, 404, code="not-found")
        accession = theirs.split("/")[2]
        assert said["detail"].replace(accession, "X") == also["detail"].replace(
            nobodys.split("/")[2], "X"
        )
