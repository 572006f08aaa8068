"""API tokens have a name and an end, and are shown once."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from gemmule.accounts import selectors, services
from gemmule.accounts.authentication import TokenAuthentication
from gemmule.accounts.errors import NotAllowed, NotFound, TokenRefused
from gemmule.accounts.models import Role, TokenLabel, User
from tests import factories

MONTH = timedelta(days=30)


def authenticate(token: str) -> User:
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Token {token}")
    found = TokenAuthentication().authenticate(request)
    assert found is not None
    user = found[0]
    assert isinstance(user, User)
    return user


def test_token_opens_the_api_as_its_owner(rosa: User) -> None:
    token = services.issue_token(user=rosa, name=" script ", expiry=MONTH)

    assert authenticate(token) == rosa
    label = selectors.tokens_of(rosa).get()
    assert label.name == "script"
    left = label.token.expiry - timezone.now()
    assert timedelta(days=29) < left <= MONTH


def test_token_itself_is_not_stored(rosa: User) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=MONTH)

    row = AuthToken.objects.values().get()
    assert token not in str(row)
    assert token not in str(TokenLabel.objects.values().get())


def test_expired_token_is_refused_with_what_to_do_and_stays_listed(
    rosa: User,
) -> None:
    old = services.issue_token(user=rosa, name="old", expiry=MONTH)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    new = services.issue_token(user=rosa, name="new", expiry=MONTH)
    assert authenticate(new) == rosa

    with pytest.raises(AuthenticationFailed) as refusal:
        authenticate(old)

    assert "expired on" in str(refusal.value.detail)
    assert "Make a new one" in str(refusal.value.detail)
    now = timezone.now()
    assert {
        label.name: label.is_expired(now) for label in selectors.tokens_of(rosa)
    } == {"old": True, "new": False}


@pytest.mark.parametrize("token", ["0" * 64, "nonsense", "ünlesbar"])
def test_unknown_token_is_refused(rosa: User, token: str) -> None:
    services.issue_token(user=rosa, name="script", expiry=MONTH)

    with pytest.raises(AuthenticationFailed, match="Invalid token"):
        TokenAuthentication().authenticate_credentials(token.encode())


def test_token_that_shares_its_start_with_another_is_refused(rosa: User) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=MONTH)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    # Only who shows the whole token learns that it has expired.
    with pytest.raises(AuthenticationFailed, match="Invalid token"):
        authenticate(token[:15] + "0" * 49)


def test_token_of_a_closed_account_is_refused(rosa: User) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=MONTH)
    User.objects.filter(pk=rosa.pk).update(is_active=False)

    with pytest.raises(AuthenticationFailed):
        authenticate(token)


def test_revoked_token_is_refused(rosa: User) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=MONTH)

    services.revoke_token(user=rosa, token_id=selectors.tokens_of(rosa).get().pk)

    with pytest.raises(AuthenticationFailed):
        authenticate(token)
    assert not TokenLabel.objects.exists()


def test_tokens_of_others_look_as_if_they_were_not_there(rosa: User, ira: User) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=MONTH)

    for token_id in (selectors.tokens_of(rosa).get().pk, uuid.uuid4()):
        with pytest.raises(NotFound, match="no such token of yours"):
            services.revoke_token(user=ira, token_id=token_id)
    assert authenticate(token) == rosa


@pytest.mark.parametrize(
    ("name", "expiry", "reason"),
    [
        ("", MONTH, "1 to 100"),
        ("x" * 101, MONTH, "1 to 100"),
        ("script", timedelta(0), "between 1 and 366 days"),
        ("script", timedelta(days=-1), "between 1 and 366 days"),
        ("script", timedelta(days=367), "between 1 and 366 days"),
    ],
)
def test_token_is_refused_with_its_reason(
    rosa: User, name: str, expiry: timedelta, reason: str
) -> None:
    with pytest.raises(TokenRefused, match=reason):
        services.issue_token(user=rosa, name=name, expiry=expiry)

    assert not AuthToken.objects.exists()


def test_tokens_are_limited(rosa: User) -> None:
    for _ in range(services.MAX_TOKENS):
        services.issue_token(user=rosa, name="script", expiry=MONTH)

    with pytest.raises(TokenRefused, match="revoke one"):
        services.issue_token(user=rosa, name="script", expiry=MONTH)


def test_who_has_no_use_for_the_api_gets_no_token(
    ada: User, alma: User, sam: User
) -> None:
    for user in (ada, alma, sam):
        with pytest.raises(NotAllowed):
            services.issue_token(user=user, name="script", expiry=MONTH)


@pytest.mark.parametrize(
    "role", ["researcher", "irb_reviewer", "irb_chair", "steward", "auditor"]
)
def test_whom_the_api_serves_gets_a_token(db: None, role: str) -> None:
    user = factories.person(Role(role))

    assert authenticate(services.issue_token(user=user, name="x", expiry=MONTH)) == user
