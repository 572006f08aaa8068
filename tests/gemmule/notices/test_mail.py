"""Mail goes out at most once, says little, and fails without harm."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail as outbox
from django.db import connections
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from gemmule.accounts.models import User
from gemmule.notices import mail, selectors, tasks
from gemmule.notices.models import Notice
from tests import factories


def a_notice(user: User, created_at: datetime) -> Notice:
    return Notice.objects.create(
        user=user,
        kind="release.revoked",
        subject="Release GMR000001 was revoked",
        body="A donor withdrew.",
        url="/research/releases/GMR000001/",
        created_at=created_at,
    )


def test_mail_says_what_it_is_about_and_where_to_read_it(
    rosa: User, now: datetime
) -> None:
    notice = a_notice(rosa, now)

    assert mail.send(notice.pk, now=now)

    (message,) = outbox.outbox
    assert message.to == [rosa.email]
    assert message.subject == "[Gemmule] Release GMR000001 was revoked"
    assert "http://localhost:8000/research/releases/GMR000001/" in message.body
    notice.refresh_from_db()
    assert notice.mailed_at == now


def test_body_stays_behind_the_sign_in(rosa: User, now: datetime) -> None:
    mail.send(a_notice(rosa, now).pk, now=now)

    assert "withdrew" not in str(outbox.outbox[0].message())


def test_notice_without_a_page_leads_to_the_inbox(rosa: User, now: datetime) -> None:
    notice = a_notice(rosa, now)
    Notice.objects.update(url="")

    mail.send(notice.pk, now=now)

    assert "http://localhost:8000/account/inbox/" in outbox.outbox[0].body


def test_second_delivery_of_the_task_sends_nothing(rosa: User, now: datetime) -> None:
    notice = a_notice(rosa, now)

    for _ in range(3):
        tasks.mail_notice(notice.pk)

    assert len(outbox.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_deliveries_side_by_side_send_one_mail(now: datetime) -> None:
    notice = a_notice(factories.person(), now)
    start = threading.Barrier(4)
    sent: list[bool] = []

    def deliver() -> None:
        start.wait()
        try:
            sent.append(mail.send(notice.pk, now=now))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(sent) == [False, False, False, True]
    assert len(outbox.outbox) == 1


def test_mail_that_failed_is_tried_again(
    rosa: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = a_notice(rosa, now)

    def fail(**_: object) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(mail, "send_mail", fail)
        with pytest.raises(SMTPServerDisconnected):
            mail.send(notice.pk, now=now)
    notice.refresh_from_db()
    assert notice.mailed_at is None

    assert mail.send(notice.pk, now=now)


def test_closed_account_gets_no_mail(rosa: User, now: datetime) -> None:
    User.objects.filter(pk=rosa.pk).update(is_active=False)

    assert not mail.send(a_notice(rosa, now).pk, now=now)
    assert outbox.outbox == []


def test_notice_that_is_gone_is_no_error(db: None, now: datetime) -> None:
    assert not mail.send(0, now=now)


def test_lost_messages_are_picked_up_for_a_day(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    a_notice(rosa, now)  # its message may still be on the way
    lost = a_notice(rosa, now - timedelta(minutes=10))
    a_notice(rosa, now - timedelta(days=2))
    mail.send(a_notice(rosa, now - timedelta(minutes=10)).pk, now=now)
    nudged: list[object] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, key: nudged.append(key))

    tasks.mail_left_behind()

    assert nudged == [lost.pk]
    assert selectors.left_behind(since=now - timedelta(days=1), until=now) == [lost.pk]


# --- mails that lie in files ----------------------------------------------------


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Return the folder into which mails are written, as the embedded default does."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    return tmp_path


def test_mails_to_who_is_erased_are_deleted_from_their_folder(
    rosa: User, ira: User, now: datetime, folder: Path
) -> None:
    for user in (rosa, ira):
        mail.send(a_notice(user, now).pk, now=now)
    assert mail.forget([rosa.email.upper()]) == 1
    left = "".join(path.read_text() for path in folder.iterdir())
    assert ira.email in left
    assert rosa.email not in left
    assert mail.forget([]) == 0


def test_a_mail_to_somebody_else_in_the_same_file_stays(folder: Path) -> None:
    """Two may get one: its name is the second and a number that comes again."""
    to = ("rosa@example.org", "ira@example.org", "rosa@example.org")
    outbox.get_connection().send_messages(
        [outbox.EmailMessage("Notice", f"For {who}.", to=[who]) for who in to]
    )
    (path,) = folder.iterdir()

    assert mail.forget(["rosa@example.org"]) == 2

    text = path.read_text()
    assert "ira@example.org" in text
    assert "rosa" not in text
    assert mail.forget(["ira@example.org"]) == 1
    assert not list(folder.iterdir())


def test_where_mail_is_sent_nothing_is_looked_for(rosa: User, folder: Path) -> None:
    (folder / "a.log").write_text(rosa.email)
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend"):
        assert mail.forget([rosa.email]) == 0
    assert list(folder.iterdir())
