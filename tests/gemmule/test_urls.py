"""What Django answers by itself: a page for people, problem+json for programs."""

import pytest
from django.test import Client

from gemmule.accounts.models import User
from gemmule.api.resources.projects import ProjectList
from tests.gemmule.api.callers import assert_problem, caller

pytestmark = pytest.mark.django_db
SECRET = "the vault key is 7"


def break_down(*_: object, **__: object) -> None:
    raise RuntimeError(SECRET)


@pytest.fixture
def client() -> Client:
    """Return a client that is answered, as over HTTP, where a test would be raised."""
    return Client(raise_request_exception=False)


def test_a_defect_behind_the_api_is_a_problem_without_details(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectList, "get", break_down)
    rosas = caller(rosa)
    rosas.client.raise_request_exception = False
    answer = rosas.get("/projects/")
    assert_problem(answer, 500, code="server-error", says="on our side")
    assert SECRET not in answer.content.decode()


def test_a_defect_below_the_views_is_one_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gemmule.web.middleware.DomainErrorMiddleware.process_view", break_down
    )
    answer = client.get("/api/v1/projects/")
    assert_problem(answer, 500, code="server-error")
    page = client.get("/")
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.content.decode()
    for body in (answer, page):
        assert SECRET not in body.content.decode()


@pytest.mark.parametrize("path", ["/api/", "/api/v2/projects/", "/api/x"])
def test_an_address_outside_of_the_version_is_a_problem(
    client: Client, path: str
) -> None:
    assert_problem(client.get(path), 404, code="not-found", says="/api/v1/docs/")


def test_an_address_that_is_none_is_a_page(client: Client) -> None:
    answer = client.get("/apis/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "says"), [("/", "This could not be read"), ("/api/v1/projects/", "")]
)
def test_a_request_for_another_host_is_worded_for_whom_it_is(
    client: Client, path: str, says: str
) -> None:
    answer = client.get(path, headers={"Host": "evil.example.org"})
    if path.startswith("/api/"):
        assert_problem(answer, 400, code="bad-request")
    else:
        assert answer.status_code == 400
        assert says in answer.content.decode()
