"""Signing in: with a password, an app, a passkey, under the strict policy.

Ada turns on an authenticator app, adds a passkey, and from then on signs in with a
touch. When the passkey's dialog fails, the page says so.
"""

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import CDPSession, Page, expect

from gemmule.accounts.models import User
from gemmule.demo.cast import PASSWORD
from tests.e2e.conftest import Look

pytestmark = pytest.mark.e2e


@pytest.fixture
def email(ada: User) -> str:
    """Return Ada's address, verified: a second factor asks for that."""
    EmailAddress.objects.update_or_create(
        user=ada, email=ada.email, defaults={"verified": True, "primary": True}
    )
    return ada.email


@pytest.fixture
def authenticator(page: Page) -> Iterator[tuple[CDPSession, str]]:
    """Return a passkey device that is built into the browser, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    added = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "ctap2Version": "ctap2_1",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    device = str(added["authenticatorId"])
    yield session, device
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})


def sign_in(page: Page, email: str) -> None:
    """Sign in with the password."""
    page.goto("/account/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    """Give the password once more, before something that matters."""
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_an_app_becomes_a_second_factor(page: Page, email: str, look: Look) -> None:
    page.goto("/account/login/")
    look(page, "sign-in")
    sign_in(page, email)
    page.goto("/account/2fa/")
    look(page, "second-factors-none")
    page.get_by_role("link", name="Set it up").click()
    confirm(page)
    look(page, "second-factor-app")

    secret = page.locator(".copy-text").inner_text()
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time())))
    )
    page.get_by_label("Six digits from the app").fill(code)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    look(page, "recovery-codes")
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, email)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    look(page, "second-factor-asked")


@pytest.mark.usefixtures("authenticator")
def test_a_passkey_opens_the_account(page: Page, email: str, look: Look) -> None:
    sign_in(page, email)
    page.goto("/account/2fa/webauthn/add/")
    confirm(page)
    page.get_by_label("What you call it").fill("Ada's telephone")
    page.get_by_label("Let me sign in with it alone").check()
    look(page, "passkey-add")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/account/2fa/webauthn/")
    expect(page.get_by_role("rowheader", name="Ada's telephone")).to_be_visible()
    look(page, "passkeys")
    page.get_by_role("button", name="Sign out").click()

    page.goto("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_failed_passkey_is_told(
    page: Page, authenticator: tuple[CDPSession, str], look: Look
) -> None:
    session, device = authenticator
    session.send(
        "WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False}
    )
    page.goto("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    look(page, "passkey-failed")


def test_typing_errors_are_told_and_nothing_is_lost(
    page: Page, email: str, look: Look
) -> None:
    page.goto("/account/signup/")
    page.get_by_label("E-mail address").fill("new@example.org")
    page.get_by_label("Choose a password").fill("12345")
    page.get_by_label("The same password again").fill("12345")
    page.get_by_role("button", name="Open the account").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_value("new@example.org")
    look(page, "sign-up-wrong")
