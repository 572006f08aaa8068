"""A body that is too long is refused before any of it is read, whoever sends it."""

import io
from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from gemmule.accounts.models import User
from gemmule.catalog import samplemap
from tests.gemmule.api.callers import assert_problem, caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unreadable(settings: Settings) -> None:
    """Let whatever reads a form's files fail: none of these may be read."""
    settings.FILE_UPLOAD_HANDLERS = ["tests.no.such.handler"]
    settings.BODY_MAX_BYTES = 2000


@pytest.fixture
def client() -> Client:
    """Return a client that compares the form's token, as a browser is held to."""
    return Client(enforce_csrf_checks=True)


def files(size: int) -> dict[str, io.BytesIO]:
    return {"vcf_files": io.BytesIO(b"x" * size)}


@pytest.mark.parametrize(
    "path", ["/account/login/", "/account/signup/", "/donor/", "/irb/", "/"]
)
def test_nobodys_files_are_read_before_the_refusal(client: Client, path: str) -> None:
    answer = client.post(path, files(3000))
    assert answer.status_code == 413
    assert "This is too large" in answer.content.decode()


def test_a_program_gets_a_problem(client: Client, rosa: User) -> None:
    answer = client.post("/api/v1/projects/", files(3000))
    assert_problem(answer, 413, code="too-large")
    long = {"title": "x" * 3000}
    assert_problem(caller(rosa).post("/projects/", long), 413, code="too-large")


def test_what_is_short_enough_is_looked_at(client: Client) -> None:
    answer = client.post("/account/login/", {"login": "x"})
    assert answer.status_code == 403, "the form's token is missing, no more"


@pytest.mark.parametrize("name", ["steward_files", "steward_map"])
def test_addresses_for_files_read_nothing_of_strangers(
    client: Client, rosa: User, name: str
) -> None:
    path = reverse(name, args=["GMD0000000"])
    answer = client.post(path, files(3000))
    assert answer.headers["Location"].startswith("/account/login/")
    client.force_login(rosa)
    assert client.post(path, files(3000)).status_code == 403


def test_a_sample_map_has_a_limit_of_its_own(
    signed_in: Callable[[User], Client], sven: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = reverse("steward_map", args=["GMD0000000"])
    client = signed_in(sven)
    assert client.post(path, files(3000)).status_code == 404, "short enough for a map"
    length = samplemap.MAX_BYTES + 2**20
    answer = client.generic("POST", path, b"x", CONTENT_LENGTH=str(length))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "length", ["3000", "+3000", " 3_000 ", "\u0663\u0660\u0660\u0660"]
)
def test_a_length_is_understood_as_django_does(client: Client, length: str) -> None:
    answer = client.generic("POST", "/account/login/", b"x", CONTENT_LENGTH=length)
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["", "x", "-5", "1.5"])
def test_a_length_that_is_none_reads_nothing(length: str) -> None:
    request = RequestFactory().post("/", data=files(3000))
    request.META["CONTENT_LENGTH"] = length
    fresh = type(request)({**request.META, "wsgi.input": io.BytesIO(b"x" * 3000)})
    assert fresh.read() == b""
