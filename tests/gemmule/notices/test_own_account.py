"""Whatever changes who can use an account is written to its addresses at once."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from gemmule.accounts import services as accounts
from gemmule.accounts.models import User
from gemmule.accounts.origins import Origin
from gemmule.demo import cast
from gemmule.notices import letters, own_account, services, tasks
from gemmule.notices.models import Letter, Notice
from tests.gemmule.accounts.conftest import KeyPair, new_pair, pair

__all__ = ["new_pair", "pair"]

MAIN, OTHER = cast.ROSA.email, "other@example.org"
PASSWORD = "nine-violet-anchors-84"
NEW_PASSWORD = {"password1": PASSWORD, "password2": PASSWORD}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def client(confirmed: Callable[[User], Client], rosa: User) -> Client:
    EmailAddress.objects.create(user=rosa, email=OTHER, verified=True)
    client = confirmed(rosa)
    client.defaults["HTTP_USER_AGENT"] = FIREFOX
    return client


def sent() -> list[tuple[str, str]]:
    """Return address and subject of each letter, in order of the addresses."""
    return sorted(Letter.objects.values_list("address", "subject"))


def address_act(name: str, email: str) -> Callable[[Client], object]:
    return lambda client: client.post(
        reverse("account_email"), {f"action_{name}": "", "email": email}
    )


def codes_again(client: Client) -> None:
    user = User.objects.get(email=MAIN)
    totp.TOTP.activate(user, totp.generate_totp_secret())
    RecoveryCodes.activate(user)
    client.post(reverse("mfa_generate_recovery_codes"), {"x": "y"})


def factor_removed(client: Client) -> None:
    totp.TOTP.activate(User.objects.get(email=MAIN), totp.generate_totp_secret())
    client.post(reverse("mfa_deactivate_totp"), {"x": "y"})


def passkey_removed(client: Client) -> None:
    key = Authenticator.objects.create(
        user=User.objects.get(email=MAIN),
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Blue key"},
    )
    client.post(reverse("mfa_remove_webauthn", args=[key.pk]), {"x": "y"})


def confirmed_by_link(client: Client) -> None:
    EmailAddress.objects.filter(email=OTHER).update(verified=False)
    address_act("send", OTHER)(client)
    link = re.findall(
        r"http\S+?(/account/confirm-email/\S+)", str(outbox.outbox[-1].body)
    )
    client.post(link[0])


@pytest.mark.parametrize(
    ("act", "to", "says"),
    [
        (address_act("add", "new@example.org"), [MAIN], "address was added"),
        (confirmed_by_link, [OTHER, MAIN], "was confirmed"),
        (address_act("primary", OTHER), [OTHER, MAIN], "new main e-mail address"),
        (address_act("remove", OTHER), [OTHER, MAIN], "address was removed"),
        (
            lambda client: client.post(
                reverse("account_change_password"),
                {"oldpassword": cast.PASSWORD, **NEW_PASSWORD},
            ),
            [MAIN],
            "password was changed",
        ),
        (
            lambda client: client.post(
                reverse("token_new"),
                {"name": "mine", "days": "7", "password": cast.PASSWORD},
            ),
            [MAIN],
            "token was created",
        ),
        (
            lambda client: client.post(reverse("profile"), {"name": "Ros"}),
            [MAIN],
            "name of your account",
        ),
        (codes_again, [MAIN], "New recovery codes"),
        (factor_removed, [MAIN], "authenticator app was removed"),
        (passkey_removed, [MAIN], "passkey was removed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_act_is_told_at_once_to_whom_it_concerns(
    client: Client,
    act: Callable[[Client], object],
    to: list[str],
    says: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        act(client)

    assert [address for address, _ in sent()] == sorted(to)
    for letter in Letter.objects.all():
        assert says in letter.subject
        assert "From: 127.0.0.1, Firefox on Linux" in letter.body
        assert f"{timezone.now():%B %Y}" in letter.body
        assert "If this was not you" in letter.body
        assert PASSWORD not in letter.body
        assert not re.search(r"[0-9a-f]{64}|/reset/key/", letter.body)
    # It stands in the inbox as well, and is not mailed a second time from there.
    notice = Notice.objects.get()
    assert (notice.subject, bool(notice.mailed_at)) == (letter.subject, True)


def test_a_new_key_and_its_end_are_told(
    client: Client, rosa: User, pair: KeyPair
) -> None:
    client.post(reverse("key_new"), {"name": "mine", "public_key": pair.public_text})
    key = rosa.researcher_keys.get()
    url = reverse("key_detail", args=[key.pk])
    challenge = client.get(reverse("key_challenge", args=[key.pk])).content
    client.post(url, {"answer": "wrong"})
    assert sent() == []
    client.post(url, {"answer": pair.decrypt(challenge).stdout.decode()})
    client.post(reverse("key_retire", args=[key.pk]))

    assert sent() == [
        (MAIN, "A key of your account was retired"),
        (MAIN, "A key was added to your account"),
    ]


def test_a_reset_is_told(rosa: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": MAIN})
    link = re.findall(
        r"http\S+?(/account/password/reset/key/\S+)", str(str(outbox.outbox[0].body))
    )
    client = Client()
    client.post(client.get(link[0]).headers["Location"], NEW_PASSWORD)

    assert sent() == [
        (MAIN, "A new password was set for your account through a mailed link")
    ]


def test_an_act_that_is_refused_is_not_told(client: Client, rosa: User) -> None:
    for _ in range(20):
        accounts.issue_token(user=rosa, name="x", expiry=timedelta(days=1))
    client.post(
        reverse("token_new"), {"name": "x", "days": "7", "password": cast.PASSWORD}
    )

    assert sent() == []


def test_no_word_of_the_sender_is_in_the_letter(client: Client) -> None:
    client.defaults["HTTP_USER_AGENT"] = "Go to https://evil.example now"
    client.post(reverse("profile"), {"name": "Call https://evil.example"})

    assert "evil" not in Letter.objects.get().body


# --- on their way ----------------------------------------------------------------


def a_letter(user: User, now: datetime) -> Letter:
    own_account.tell(
        user=user,
        kind="name.changed",
        subject="The name of your account was changed",
        origin=Origin(),
        now=now,
    )
    return Letter.objects.latest("pk")


def test_a_letter_goes_once_and_to_the_address_of_then(
    rosa: User, now: datetime
) -> None:
    letter = a_letter(rosa, now)
    User.objects.filter(pk=rosa.pk).update(email="thief@evil.example")

    for _ in range(3):
        tasks.mail_letter(letter.pk)

    (mail,) = outbox.outbox
    assert mail.to == [MAIN]
    assert mail.subject == "[Gemmule] The name of your account was changed"
    assert mail.body == letter.body


def test_a_letter_that_failed_is_tried_again_for_a_week(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    letter = a_letter(rosa, now - timedelta(days=6))
    old = a_letter(rosa, now - timedelta(days=8))

    def fail(**_: object) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(letters, "send_mail", fail)
        with pytest.raises(SMTPServerDisconnected):
            letters.send(letter.pk, now=now)
    nudged: list[object] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, key: nudged.append(key))

    tasks.mail_left_behind()

    assert nudged == [letter.pk]
    assert not Letter.objects.filter(pk=old.pk).exists()
    assert letters.send(letter.pk, now=now)


def test_who_is_erased_has_no_letter_left_nor_a_mail_in_a_file(
    rosa: User, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    letters.send(a_letter(rosa, now).pk, now=now)
    rosa.email = "new@example.org"  # The mail went to an address that is gone.
    rosa.save()
    waiting = a_letter(rosa, now)

    services.forget(user_id=rosa.pk, addresses=[rosa.email])

    assert not Letter.objects.exists()
    assert list(tmp_path.iterdir()) == []
    assert not letters.send(waiting.pk, now=now)


def test_who_is_being_erased_gets_no_letter(rosa: User, now: datetime) -> None:
    letter = a_letter(rosa, now)
    User.objects.filter(pk=rosa.pk).update(is_active=False)

    assert letters.left_behind(until=timezone.now()) == []
    assert not letters.send(letter.pk, now=now)
    assert outbox.outbox == []
