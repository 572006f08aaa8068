"""A session is not a person: what a thief who has nothing but its cookie can do.

The thief knows no password and holds no passkey. Every test makes a whole attack over
HTTP and asks whether it came to anything.
"""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from pytest_django.fixtures import Settings

from gemmule.access.models import AccessRequest, RequestState
from gemmule.accounts import services
from gemmule.accounts.models import User
from gemmule.demo import cast
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.accounts.conftest import KeyPair, new_pair, pair
from tests.gemmule.api.conftest import now

__all__ = ["dataset", "draft", "new_pair", "now", "pair", "project", "submitted"]
pytestmark = pytest.mark.django_db

THIEFS = "thief@evil.example"
PASSWORD = "thiefs-own-password-77"


def browser_of(user: User) -> Client:
    """Return the victim's browser: signed in an hour ago, asked for nothing since."""
    client = Client()
    client.force_login(user)
    return client


def thief_with(victim: Client) -> Client:
    """Return the browser of who has copied the victim's session cookie."""
    client = Client()
    name = settings.SESSION_COOKIE_NAME
    client.cookies[name] = victim.cookies[name].value
    return client


def confirm_again(victim: Client, password: str = cast.PASSWORD) -> None:
    """Give the password on the page that asks for it again."""
    answer = victim.post(reverse("account_reauthenticate"), {"password": password})
    assert answer.status_code == 302, answer.content


def links(kind: str) -> list[str]:
    """Return the addresses of this kind in all mails that were sent."""
    text = "\n".join(str(mail.body) for mail in outbox.outbox)
    return re.findall(rf"http\S+?(/account/{kind}/\S+)", text)


def reset(client: Client, email: str, password: str) -> bool:
    """Ask for a new password at this address; return whether a link worked."""
    before = len(links("password/reset/key"))
    client.post(reverse("account_reset_password"), {"email": email})
    for link in links("password/reset/key")[before:]:
        page = client.get(link)
        if page.status_code == 302:
            client.post(
                page.headers["Location"], {"password1": password, "password2": password}
            )
            return True
    return False


def test_a_stolen_session_adds_no_address_resets_no_password_and_signs_nothing(
    ira: User, submitted: AccessRequest
) -> None:
    thief = thief_with(browser_of(ira))
    thief.post(reverse("account_email"), {"action_add": "", "email": THIEFS})
    for link in links("confirm-email"):
        thief.post(link)
    elsewhere = Client()
    reset(elsewhere, THIEFS, PASSWORD)
    elsewhere.post(reverse("account_login"), {"login": THIEFS, "password": PASSWORD})
    until = (timezone.now() + timedelta(days=90)).date()
    elsewhere.post(
        reverse("irb_approve", args=[submitted.accession]),
        {"reason": "Sound.", "password": PASSWORD, "expires_on": until.isoformat()},
    )

    submitted.refresh_from_db()
    assert submitted.state != RequestState.APPROVED, "the thief signed as a reviewer"
    ira.refresh_from_db()
    assert ira.check_password(cast.PASSWORD), "the thief has set a password"
    assert not EmailAddress.objects.filter(email=THIEFS).exists()
    (mail,) = outbox.outbox
    assert "not the main, confirmed address of any account" in mail.body


@pytest.fixture
def other(rosa: User) -> EmailAddress:
    """Return a second, verified address of Rosa's, whose mailbox the thief reads."""
    row: EmailAddress = EmailAddress.objects.create(
        user=rosa, email=THIEFS, verified=True
    )
    return row


def test_it_makes_no_other_address_the_main_one(
    rosa: User, other: EmailAddress
) -> None:
    thief = thief_with(browser_of(rosa))
    thief.post(reverse("account_email"), {"action_primary": "", "email": other.email})

    rosa.refresh_from_db()
    assert rosa.email == cast.ROSA.email, "the thief's address is the main one"


def test_it_removes_no_address(rosa: User, other: EmailAddress) -> None:
    thief = thief_with(browser_of(rosa))
    thief.post(reverse("account_email"), {"action_remove": "", "email": other.email})

    assert EmailAddress.objects.filter(pk=other.pk).exists(), "the address is gone"


def test_it_adds_no_key_on_the_pages(rosa: User, pair: KeyPair) -> None:
    thief = thief_with(browser_of(rosa))
    thief.post(reverse("key_new"), {"name": "mine", "public_key": pair.public_text})
    for key in rosa.researcher_keys.all():
        challenge = thief.get(reverse("key_challenge", args=[key.pk])).content
        answer = pair.decrypt(challenge).stdout.decode()
        thief.post(reverse("key_detail", args=[key.pk]), {"answer": answer})

    assert list(rosa.researcher_keys.all()) == [], "releases can be encrypted to it"


def test_a_token_adds_no_key(rosa: User, pair: KeyPair) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=timedelta(days=1))
    thief, headers = Client(), {"Authorization": f"Token {token}"}
    made = thief.post(
        "/api/v1/keys/",
        {"name": "mine", "public_key": pair.public_text},
        "application/json",
        headers=headers,
    )
    for key in rosa.researcher_keys.all():
        path = f"/api/v1/keys/{key.pk}/"
        challenge = thief.get(f"{path}challenge/", headers=headers).content
        answer = {"answer": pair.decrypt(challenge).stdout.decode()}
        thief.post(f"{path}prove/", answer, "application/json", headers=headers)

    assert list(rosa.researcher_keys.all()) == [], "releases can be encrypted to it"
    assert made.status_code == 403
    assert "/account/keys/new/" in made.json()["detail"]


def test_it_changes_no_name_that_a_signature_shows(ira: User) -> None:
    thief_with(browser_of(ira)).post(reverse("profile"), {"name": "Ingrid Chair"})

    ira.refresh_from_db()
    assert ira.name == cast.IRA.name


def test_it_makes_no_token(rosa: User) -> None:
    thief = thief_with(browser_of(rosa))
    thief.post(reverse("token_new"), {"name": "mine", "days": "365"})

    assert not AuthToken.objects.exists()


def test_it_closes_no_account(ada: User) -> None:
    thief_with(browser_of(ada)).post(reverse("donor_erase"), {"csrf": "x"})

    ada.refresh_from_db()
    assert ada.is_active


def test_guesses_at_the_change_of_a_password_count_with_all_others(rosa: User) -> None:
    thief = thief_with(browser_of(rosa))
    new = {"password1": PASSWORD, "password2": PASSWORD}
    for guess in ("a", "b", "c", "d", "e", cast.PASSWORD):
        thief.post(reverse("account_change_password"), {"oldpassword": guess, **new})

    rosa.refresh_from_db()
    assert rosa.check_password(cast.PASSWORD), "the sixth guess was still looked at"


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_a_code_alone_is_neither_password_nor_passkey(rosa: User, kind: str) -> None:
    totp.TOTP.activate(rosa, totp.generate_totp_secret())
    codes = RecoveryCodes.activate(rosa).get_unused_codes()
    thief = thief_with(browser_of(rosa))
    secret = Authenticator.objects.get(user=rosa, type=Authenticator.Type.TOTP)
    shown = totp.format_hotp_value(
        totp.hotp_value(
            totp.decrypt(secret.data["secret"]),
            next(totp.yield_hotp_counters_from_time()),
        )
    )
    thief.post(
        reverse("mfa_reauthenticate"), {"code": shown if kind == "totp" else codes[0]}
    )
    thief.post(reverse("mfa_deactivate_totp"), {"x": "y"})

    assert Authenticator.objects.filter(pk=secret.pk).exists(), "it is turned off"


# --- the victim gives her password, and the thief waits for it -------------------


def test_the_victims_password_opens_nothing_for_the_copied_cookie(rosa: User) -> None:
    victim = browser_of(rosa)
    thief = thief_with(victim)
    confirm_again(victim)
    thief.post(reverse("profile"), {"name": "Thief"})
    assert thief.get(reverse("mfa_add_webauthn")).status_code != 200

    rosa.refresh_from_db()
    assert rosa.name == cast.ROSA.name
    assert victim.get(reverse("mfa_add_webauthn")).status_code == 200


def test_an_act_the_thief_left_waiting_is_not_done_on_the_victims_password(
    rosa: User,
) -> None:
    totp.TOTP.activate(rosa, totp.generate_totp_secret())
    page = reverse("mfa_deactivate_totp")
    victim = browser_of(rosa)
    thief_with(victim).post(page, {"planted": "yes"})
    asked = victim.get(page)  # She only looks, and is asked who she is.
    victim.post(asked.headers["Location"], {"password": cast.PASSWORD, "next": page})

    left = Authenticator.objects.filter(user=rosa, type=Authenticator.Type.TOTP)
    assert left.exists(), "the thief's request was carried out"


# --- what a new password ends ----------------------------------------------------


@pytest.mark.parametrize("how", ["change", "reset"])
def test_a_new_password_ends_sessions_and_tokens(rosa: User, how: str) -> None:
    token = services.issue_token(user=rosa, name="script", expiry=timedelta(days=1))
    acting, other = browser_of(rosa), browser_of(rosa)
    confirm_again(other)
    if how == "change":
        acting.post(
            reverse("account_change_password"),
            {
                "oldpassword": cast.PASSWORD,
                "password1": PASSWORD,
                "password2": PASSWORD,
            },
        )
    else:
        assert reset(acting, rosa.email, PASSWORD)

    rosa.refresh_from_db()
    assert rosa.check_password(PASSWORD)
    listed = Client().get("/api/v1/keys/", headers={"Authorization": f"Token {token}"})
    assert listed.status_code == 401, "the token still opens the API"
    assert other.get(reverse("inbox")).status_code == 302, "the session goes on"
    assert acting.get(reverse("inbox")).status_code == (200 if how == "change" else 302)


# --- the reset of a password -----------------------------------------------------


@pytest.mark.parametrize("which", ["other", "unverified", "unknown"])
def test_only_the_verified_main_address_gets_a_link(
    rosa: User, other: EmailAddress, which: str
) -> None:
    EmailAddress.objects.filter(user=rosa, primary=True).update(
        verified=which != "unverified"
    )
    email = {"other": other.email, "unverified": rosa.email, "unknown": "x@y.example"}

    answer = Client().post(reverse("account_reset_password"), {"email": email[which]})

    assert links("password/reset/key") == []
    assert answer.headers["Location"] == reverse("account_reset_password_done")


def test_the_answer_is_the_same_whoever_is_asked_for(
    rosa: User, other: EmailAddress
) -> None:

    def look(email: str) -> tuple[int, str, str]:
        client = Client()
        answer = client.post(reverse("account_reset_password"), {"email": email})
        page = client.get(answer.headers["Location"]).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        return answer.status_code, answer.headers["Location"], page

    assert look(rosa.email) == look(other.email) == look("nobody@example.org")


def test_the_answer_is_the_same_while_no_mail_can_be_sent(
    rosa: User, other: EmailAddress, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "tests.gemmule.releases.mail_down.EmailBackend"

    def look(email: str) -> tuple[int, str]:
        client = Client()
        answer = client.post(
            reverse("account_reset_password"), {"email": email}, follow=True
        )
        page = answer.content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        return answer.status_code, page

    assert look(rosa.email) == look(other.email) == look("nobody@example.org")


def test_a_link_dies_with_the_address_it_went_to(
    rosa: User, other: EmailAddress
) -> None:
    Client().post(reverse("account_reset_password"), {"email": rosa.email})
    (link,) = links("password/reset/key")
    other.refresh_from_db()
    other.set_as_primary()

    assert Client().get(link).status_code == 200, "it redirects to the form if it works"
