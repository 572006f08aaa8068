"""Signing in, passwords and second factors are our pages, not the library's."""

from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from gemmule.accounts.models import User
from gemmule.demo.cast import PASSWORD

OURS = Path(__file__).parents[3] / "platform" / "gemmule" / "web" / "templates"
# Every page of the library that the settings let anyone reach.
PAGES = [
    "account/account_inactive",
    "account/email",
    "account/email_confirm",
    "account/login",
    "account/logout",
    "account/password_change",
    "account/password_reset",
    "account/password_reset_done",
    "account/password_reset_from_key",
    "account/password_reset_from_key_done",
    "account/password_set",
    "account/reauthenticate",
    "account/signup",
    "account/signup_closed",
    "account/verification_sent",
    "account/verified_email_required",
    "mfa/authenticate",
    "mfa/index",
    "mfa/reauthenticate",
    "mfa/recovery_codes/generate",
    "mfa/recovery_codes/index",
    "mfa/totp/activate_form",
    "mfa/totp/deactivate_form",
    "mfa/webauthn/add_form",
    "mfa/webauthn/authenticator_confirm_delete",
    "mfa/webauthn/authenticator_list",
    "mfa/webauthn/edit_form",
    "mfa/webauthn/reauthenticate",
]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_ours(name: str) -> None:
    template: Any = get_template(f"{name}.html")
    assert Path(template.origin.name).is_relative_to(OURS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("route", "heading"),
    [
        ("account_login", "Sign in"),
        ("account_signup", "Open a donor account"),
        ("account_reset_password", "Forgotten your password?"),
        ("account_reset_password_done", "Look into your mail"),
        ("account_reset_password_from_key_done", "Your new password is saved"),
        ("account_inactive", "This account is closed"),
    ],
)
def test_a_visitor_finds_the_way(route: str, heading: str, client: Client) -> None:
    page = client.get(reverse(route)).content.decode()
    assert f"<h1>{heading}</h1>" in page
    assert page.count("<h1>") == 1


@pytest.fixture
def member(client: Client, ada: User) -> Client:
    """Return Ada's browser: signed in, and asked for her password just now."""
    EmailAddress.objects.update_or_create(
        user=ada, email=ada.email, defaults={"verified": True, "primary": True}
    )
    client.post(reverse("account_login"), {"login": ada.email, "password": PASSWORD})
    confirmed = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert confirmed.status_code == 302
    return client


@pytest.mark.parametrize(
    ("route", "heading"),
    [
        ("account_logout", "Sign out?"),
        ("account_change_password", "Change your password"),
        ("account_email", "E-mail addresses"),
        ("mfa_index", "Second factors"),
        ("mfa_activate_totp", "Set up an authenticator app"),
        ("mfa_add_webauthn", "Add a passkey"),
        ("mfa_list_webauthn", "Your passkeys"),
        ("account_reauthenticate", "Confirm that it is you"),
    ],
)
def test_a_member_finds_the_way(route: str, heading: str, member: Client) -> None:
    page = member.get(reverse(route)).content.decode()
    assert f"<h1>{heading}</h1>" in page


def test_second_factors_say_how_they_stand(member: Client, ada: User) -> None:
    before = member.get(reverse("mfa_index")).content.decode()
    assert "Off" in before
    totp.TOTP.activate(ada, totp.generate_totp_secret())
    RecoveryCodes.activate(ada)

    after = member.get(reverse("mfa_index")).content.decode()
    assert "10 of 10 left" in after
    for route, heading in (
        ("mfa_deactivate_totp", "Turn off the authenticator app?"),
        ("mfa_view_recovery_codes", "Recovery codes"),
        ("mfa_generate_recovery_codes", "Make new recovery codes?"),
    ):
        page = member.get(reverse(route)).content.decode()
        assert f"<h1>{heading}</h1>" in page


def test_a_passkey_can_be_renamed_and_removed(member: Client, ada: User) -> None:
    key = Authenticator.objects.create(
        user=ada, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key"}
    )
    page = member.get(reverse("mfa_remove_webauthn", args=[key.pk])).content.decode()
    assert "<h1>Remove “Blue key”?</h1>" in page
    assert "<h1>Rename a passkey</h1>" in (
        member.get(reverse("mfa_edit_webauthn", args=[key.pk])).content.decode()
    )


def test_the_app_takes_the_secret_without_a_data_address(member: Client) -> None:
    page = member.get(reverse("mfa_activate_totp")).content.decode()
    assert "data:" not in page, "the policy allows images from this site alone"
    assert 'role="img"' in page


@pytest.mark.django_db
def test_a_wrong_password_is_told_without_saying_who_exists(
    client: Client, ada: User
) -> None:
    def errors(email: str) -> str:
        answer = client.post(
            reverse("account_login"), {"login": email, "password": "not the password"}
        )
        page = answer.content.decode()
        start = page.index('<div class="errors"')
        return page[start : page.index("</div>", start)]

    assert errors(ada.email) == errors("ghost@example.org")
