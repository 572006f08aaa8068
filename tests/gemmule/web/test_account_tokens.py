"""Pages on which a person makes and revokes API tokens."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from gemmule.accounts import selectors, services
from gemmule.accounts.authentication import TokenAuthentication
from gemmule.accounts.models import User
from gemmule.demo import cast
from tests.gemmule.web import looks

SignedIn = Callable[[User], Client]
FIELDS = {"name": "nightly", "days": "30", "password": cast.PASSWORD}


@pytest.fixture
def client(signed_in: SignedIn, rosa: User) -> Client:
    return signed_in(rosa)


def test_token_is_shown_once_and_works(client: Client, rosa: User) -> None:
    assert client.get(reverse("token_new")).status_code == 200
    answer = client.post(reverse("token_new"), FIELDS)

    assert "no-store" in answer.headers["Cache-Control"]
    shown = re.search(r"\b[0-9a-f]{64}\b", answer.content.decode())
    assert shown is not None
    user, _ = TokenAuthentication().authenticate_credentials(shown[0].encode())
    assert user == rosa
    listed = client.get(reverse("token_list")).content.decode()
    assert "nightly" in listed
    assert shown[0] not in listed


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": "wrong"}, "not your password"),
        ({"password": ""}, "This field is required"),
        ({"name": ""}, "This field is required"),
        ({"days": "4000"}, "Select a valid choice"),
    ],
)
def test_bad_input_is_told_and_makes_no_token(
    client: Client, fields: dict[str, str], reason: str
) -> None:
    answer = client.post(reverse("token_new"), FIELDS | fields)

    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert cast.PASSWORD not in answer.content.decode()
    assert not AuthToken.objects.exists()


def test_one_token_too_many_is_told(client: Client, rosa: User) -> None:
    for _ in range(services.MAX_TOKENS):
        services.issue_token(user=rosa, name="x", expiry=timedelta(days=1))

    answer = client.post(reverse("token_new"), FIELDS)

    assert "revoke one of them first" in answer.content.decode()


def test_guessing_the_password_comes_to_a_halt(client: Client) -> None:
    for _ in range(5):
        client.post(reverse("token_new"), FIELDS | {"password": "wrong"})

    answer = client.post(reverse("token_new"), FIELDS)

    assert "wait 15 minutes" in answer.content.decode()
    assert not AuthToken.objects.exists()


def test_expired_token_is_marked_so(client: Client) -> None:
    client.post(reverse("token_new"), FIELDS)
    assert "Expired" not in client.get(reverse("token_list")).content.decode()

    AuthToken.objects.update(expiry=timezone.now())

    assert "Expired" in client.get(reverse("token_list")).content.decode()


def test_token_is_revoked_after_a_question(client: Client, rosa: User) -> None:
    client.post(reverse("token_new"), FIELDS)
    url = reverse("token_revoke", args=[selectors.tokens_of(rosa).get().pk])

    assert "nightly" in client.get(url).content.decode()
    assert AuthToken.objects.exists()
    assert client.post(url).headers["Location"] == reverse("token_list")
    assert not AuthToken.objects.exists()
    assert client.post(url).status_code == 404


def test_token_of_another_looks_like_none(
    client: Client, signed_in: SignedIn, rosa: User, ira: User
) -> None:
    client.post(reverse("token_new"), FIELDS)
    url = reverse("token_revoke", args=[selectors.tokens_of(rosa).get().pk])
    missing = reverse("token_revoke", args=[uuid.uuid4()])
    other = signed_in(ira)

    for method in (other.get, other.post):
        theirs, nobodys = method(url), method(missing)
        assert theirs.status_code == nobodys.status_code == 404
        assert looks.alike(theirs.content, nobodys.content)
    assert AuthToken.objects.exists()


def test_stranger_is_sent_to_sign_in(db: None) -> None:
    for url in (
        reverse("token_list"),
        reverse("token_new"),
        reverse("token_revoke", args=[uuid.uuid4()]),
    ):
        answer = Client().get(url)
        assert answer.headers["Location"].startswith("/account/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["ada", "alma", "sam"])
def test_who_has_no_use_for_the_api_gets_no_token(
    request: pytest.FixtureRequest, signed_in: SignedIn, who: str
) -> None:
    client = signed_in(request.getfixturevalue(who))

    assert client.get(reverse("token_list")).status_code == 403
    assert client.get(reverse("token_new")).status_code == 403
    assert client.post(reverse("token_new"), FIELDS).status_code == 403
    assert not AuthToken.objects.exists()


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post(reverse("token_list")).status_code == 405
    assert client.put(reverse("token_new")).status_code == 405
    url = reverse("token_revoke", args=[uuid.uuid4()])
    assert client.delete(url).status_code == 405
