"""Being asked for the password or passkey again, and doing one act after another."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from html import unescape
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as django_settings
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse

from gemmule.accounts import passwords
from gemmule.accounts.models import User
from gemmule.demo import cast
from gemmule.notices.models import Letter
from tests import factories, waiting

SignedIn = Callable[[User], Client]
NEW = {"action_add": "", "email": "rosa@new.example"}


def hidden(page: str) -> dict[str, str]:
    """Return what the page would send again, unseen."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def addresses(user: User) -> set[str]:
    return set(EmailAddress.objects.filter(user=user).values_list("email", flat=True))


def test_what_was_typed_is_done_once_the_password_is_right(
    signed_in: SignedIn, rosa: User
) -> None:
    client = signed_in(rosa)
    asked = client.post(reverse("account_email"), NEW)

    page = asked.content.decode()
    assert asked.status_code == 403
    assert "<h1>Confirm that it is you</h1>" in page
    assert "no-store" in asked.headers["Cache-Control"]
    assert addresses(rosa) == {rosa.email}

    typed = hidden(page) | {"again-password": cast.PASSWORD}
    client.post(reverse("account_email"), typed)
    assert addresses(rosa) == {rosa.email, NEW["email"]}


def test_a_wrong_password_is_told_and_keeps_what_was_typed(
    signed_in: SignedIn, rosa: User
) -> None:
    client = signed_in(rosa)
    for _ in range(5):
        page = client.post(
            reverse("account_email"), NEW | {"again-password": "wrong"}
        ).content.decode()
        assert "This is not your password; nothing was changed" in page
        assert hidden(page)["email"] == NEW["email"]

    late = client.post(
        reverse("account_email"), NEW | {"again-password": cast.PASSWORD}
    )
    assert "wait 15 minutes" in late.content.decode()
    assert addresses(rosa) == {rosa.email}


def test_no_page_repeats_passwords_or_secret_keys(
    signed_in: SignedIn, rosa: User
) -> None:
    page = signed_in(rosa).post(
        reverse("account_email"),
        {
            **NEW,
            "password1": "nine-violet-anchors",
            "name": "-----BEGIN CRYPT4GH PRIVATE KEY-----\nc2VjcmV0",
        },
    )
    assert "nine-violet-anchors" not in page.content.decode()
    assert "c2VjcmV0" not in page.content.decode()


def test_signing_in_is_no_answer(client: Client, rosa: User) -> None:
    client.post(
        reverse("account_login"), {"login": rosa.email, "password": cast.PASSWORD}
    )
    assert client.get(reverse("account_email")).status_code == 200
    assert client.post(reverse("account_email"), NEW).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("wanted", ["text/html", "application/json"])
def test_no_method_and_no_format_goes_around_the_question(
    signed_in: SignedIn, rosa: User, method: str, wanted: str
) -> None:
    """The library's pages also answer scripts in JSON, and take PUT for POST."""
    totp.TOTP.activate(rosa, totp.generate_totp_secret())
    script = {"Accept": wanted, "X-Requested-With": "XMLHttpRequest"}
    for route in ("mfa_generate_recovery_codes", "mfa_deactivate_totp"):
        answer = signed_in(rosa).generic(method, reverse(route), headers=script)
        assert answer.status_code == 403
    (left,) = Authenticator.objects.filter(user=rosa)
    assert left.type == Authenticator.Type.TOTP


@pytest.mark.parametrize(("age_s", "status"), [(290, 302), (301, 403)])
def test_an_answer_holds_for_five_minutes(
    confirmed: SignedIn, rosa: User, age_s: int, status: int
) -> None:
    client = confirmed(rosa)
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] = time.time() - age_s
    session.save()

    assert client.post(reverse("account_email"), NEW).status_code == status


def test_who_has_neither_password_nor_passkey_is_told_what_to_do(
    signed_in: SignedIn, rosa: User
) -> None:
    rosa.set_unusable_password()
    rosa.save()

    page = signed_in(rosa).post(reverse("account_email"), NEW).content.decode()

    assert "neither a password nor a passkey" in page
    assert reverse("account_reset_password") in page
    assert addresses(rosa) == {rosa.email}


# --- one after another -----------------------------------------------------------


@pytest.fixture
def run() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    """Return a function that runs another in a thread with connections of its own."""
    threads = []

    def start(act: Callable[[], None]) -> threading.Thread:
        def work() -> None:
            try:
                act()
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(timeout=60)


def waiters() -> int:
    """Return how many transactions wait for a row that another one holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks "
            "WHERE locktype IN ('transactionid', 'tuple') AND NOT granted"
        )
        (count,) = cursor.fetchone()
    return int(count)


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_the_second_sees_the_first(
    confirmed: SignedIn, run: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    rosa = factories.member(cast.ROSA)
    others = ["one@example.org", "two@example.org"]
    for email in others:
        EmailAddress.objects.create(user=rosa, email=email, verified=True)
    browsers = [confirmed(rosa) for _ in others]
    statuses: list[int] = []

    with transaction.atomic():
        User.objects.select_for_update().get(pk=rosa.pk)
        threads = [
            run(
                lambda client=client, email=email: statuses.append(  # type: ignore[misc]  # a default in a lambda has no type
                    client.post(
                        reverse("account_email"), {"action_primary": "", "email": email}
                    ).status_code
                )
            )
            for client, email in zip(browsers, others, strict=True)
        ]
        waiting.until(lambda: waiters() >= 2, what="both changes to wait")
    for thread in threads:
        thread.join(timeout=60)

    assert statuses == [302, 302]
    rosa.refresh_from_db()
    main = EmailAddress.objects.get(user=rosa, primary=True)
    assert main.email == rosa.email
    # Each change tells the address before it and its own; the second's "before" is
    # what the first has set.
    (first,) = set(others) - {main.email}
    told = Letter.objects.filter(subject__contains="new main")
    assert sorted(told.values_list("address", flat=True)) == sorted(
        [cast.ROSA.email, first, first, main.email]
    )


@pytest.mark.django_db(transaction=True)
def test_an_act_that_waited_for_a_new_password_is_not_done(
    confirmed: SignedIn, run: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    rosa = factories.member(cast.ROSA)
    stale = confirmed(rosa)
    places: list[str] = []

    with transaction.atomic():
        passwords.set_password(user=rosa, password="a-new-one-that-nobody-knows")
        thread = run(
            lambda: places.append(
                stale.post(reverse("account_email"), NEW).headers.get("Location", "")
            )
        )
        waiting.until(lambda: waiters() >= 1, what="the act to wait")
    thread.join(timeout=60)

    assert [place.split("?")[0] for place in places] == [reverse("account_login")]
    assert addresses(rosa) == {rosa.email}


# --- when mail is down -----------------------------------------------------------


@pytest.fixture
def mail_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise SMTPServerDisconnected("no mail today")

    monkeypatch.setattr(EmailBackend, "send_messages", fail)


def test_without_mail_an_act_is_done_whole_and_its_letter_waits(
    confirmed: SignedIn, rosa: User, mail_is_down: None
) -> None:
    client = confirmed(rosa)
    answer = client.post(reverse("account_email"), NEW, follow=True)

    assert "We cannot send mail at the moment" in answer.content.decode()
    assert addresses(rosa) == {rosa.email, NEW["email"]}
    letter = Letter.objects.get()
    assert (letter.address, letter.mailed_at) == (rosa.email, None)


def test_without_mail_a_reset_looks_the_same_for_everyone(
    rosa: User, mail_is_down: None
) -> None:
    def look(email: str) -> str:
        page = Client().post(
            reverse("account_reset_password"), {"email": email}, follow=True
        )
        assert page.status_code == 200
        return re.sub(r'value="\w{64}"', "", page.content.decode())

    assert "We cannot send mail at the moment" in look(rosa.email)
    assert look(rosa.email) == look("nobody@example.org")
    assert django_settings.EMAIL_TIMEOUT <= 10, "a server that hangs holds up no page"
