"""Signing in: password, second factor, and where it leads."""

import base64
import hashlib
import hmac
import struct
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client

from gemmule.accounts.models import User
from gemmule.demo import cast


def sign_in(client: Client, user: User, password: str = cast.PASSWORD) -> str:
    """Return where the sign-in leads; an empty string when it was refused."""
    answer = client.post("/account/login/", {"login": user.email, "password": password})
    return answer.headers.get("Location", "")


def totp(secret: str, moment: int) -> str:
    """Return the code an authenticator shows at `moment` (RFC 6238, SHA-1)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.new(key, struct.pack(">Q", moment // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the clock of the second factor; set `moment` to move it."""
    clock = SimpleNamespace(moment=1_780_000_000)
    clock.time = lambda: clock.moment
    monkeypatch.setattr(auth, "time", clock)
    return clock


def enrol(client: Client, user: User, clock: SimpleNamespace) -> str:
    """Set up an authenticator app through the pages; return its secret."""
    sign_in(client, user)
    page = client.get("/account/2fa/totp/activate/")
    if page.status_code == 302:  # The password again: the sign-in is not enough.
        client.post(page.headers["Location"], {"password": cast.PASSWORD})
        page = client.get("/account/2fa/totp/activate/")
    secret = str(page.context["form"].secret)
    assert secret in page.content.decode()
    answer = client.post(
        "/account/2fa/totp/activate/", {"code": totp(secret, clock.moment)}
    )
    assert answer.status_code == 302, answer.content
    return secret


def test_code_of_the_test_is_that_of_the_standard() -> None:
    # RFC 6238 appendix B: time 59 s gives 94287082, of which six digits remain.
    assert totp(base64.b32encode(b"12345678901234567890").decode(), 59) == "287082"


def test_password_signs_in(client: Client, rosa: User) -> None:
    assert sign_in(client, rosa) == "/home/"
    assert client.get("/home/").headers["Location"] == "/research/"


def test_address_is_known_in_any_case(client: Client, rosa: User) -> None:
    rosa.email = "ROSA@Example.org"

    assert sign_in(client, rosa) == "/home/"


@pytest.mark.parametrize("password", ["wrong", cast.PASSWORD.upper()])
def test_wrong_password_does_not(client: Client, rosa: User, password: str) -> None:
    assert sign_in(client, rosa, password) == ""
    assert client.get("/home/").headers["Location"].startswith("/account/login/")


def test_unknown_address_is_refused_in_the_same_words(
    client: Client, rosa: User
) -> None:
    def said(email: str) -> str:
        answer = Client().post("/account/login/", {"login": email, "password": "x"})
        return str(answer.context["form"].errors)

    assert said(rosa.email) == said("ghost@example.org")


def test_closed_account_does_not_sign_in(client: Client, rosa: User) -> None:
    User.objects.filter(pk=rosa.pk).update(is_active=False)

    sign_in(client, rosa)

    assert client.get("/home/").headers["Location"].startswith("/account/login/")


def test_guessing_passwords_comes_to_a_halt(client: Client, rosa: User) -> None:
    for _ in range(10):
        sign_in(client, rosa, "wrong")

    assert sign_in(client, rosa) == ""


def test_authenticator_app_is_set_up_and_asked_for_at_the_next_sign_in(
    client: Client, rosa: User, clock: SimpleNamespace
) -> None:
    secret = enrol(client, rosa, clock)
    assert Authenticator.objects.filter(
        user=rosa, type=Authenticator.Type.RECOVERY_CODES
    ).exists()

    fresh = Client()
    assert sign_in(fresh, rosa) == "/account/2fa/authenticate/"
    # The password alone opens nothing yet.
    assert fresh.get("/home/").headers["Location"].startswith("/account/login/")

    clock.moment += 30
    answer = fresh.post(
        "/account/2fa/authenticate/", {"code": totp(secret, clock.moment)}
    )
    assert answer.headers["Location"] == "/home/"
    assert fresh.get("/home/").headers["Location"] == "/research/"


def test_code_signs_in_once(client: Client, rosa: User, clock: SimpleNamespace) -> None:
    secret = enrol(client, rosa, clock)

    clock.moment += 30
    code = totp(secret, clock.moment)

    def leads_to(browser: Client) -> str:
        sign_in(browser, rosa)
        browser.post("/account/2fa/authenticate/", {"code": code})
        return browser.get("/home/").headers["Location"]

    assert leads_to(Client()) == "/research/"
    assert leads_to(Client()).startswith("/account/login/")


@pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef"])
def test_wrong_code_does_not_sign_in(
    client: Client, rosa: User, clock: SimpleNamespace, code: str
) -> None:
    secret = enrol(client, rosa, clock)
    clock.moment += 30
    assert totp(secret, clock.moment) != code

    fresh = Client()
    sign_in(fresh, rosa)
    fresh.post("/account/2fa/authenticate/", {"code": code})

    assert fresh.get("/home/").headers["Location"].startswith("/account/login/")


def test_recovery_code_signs_in_when_the_phone_is_lost(
    client: Client, rosa: User, clock: SimpleNamespace
) -> None:
    enrol(client, rosa, clock)
    stored = Authenticator.objects.get(
        user=rosa, type=Authenticator.Type.RECOVERY_CODES
    )
    code = stored.wrap().get_unused_codes()[0]

    fresh = Client()
    sign_in(fresh, rosa)
    answer = fresh.post("/account/2fa/authenticate/", {"code": code})

    assert answer.headers["Location"] == "/home/"


def test_setting_up_a_second_factor_needs_the_password_again(
    client: Client, rosa: User
) -> None:
    client.force_login(rosa)

    answer = client.get("/account/2fa/totp/activate/")

    assert answer.headers["Location"].startswith("/account/reauthenticate/")


def test_passkey_page_opens_for_who_gave_the_password_again(
    client: Client, rosa: User
) -> None:
    sign_in(client, rosa)
    client.post("/account/reauthenticate/", {"password": cast.PASSWORD})

    assert client.get("/account/2fa/webauthn/add/").status_code == 200
