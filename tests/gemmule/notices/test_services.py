"""A notice exists if and only if what it tells of does; mail follows."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.notices import selectors, services, tasks
from gemmule.notices.errors import NoticeInvalid
from gemmule.notices.models import Notice

Capture = Callable[..., object]


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Return what would have been sent to the broker."""
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr("gemmule.celery.nudge", lambda *args: sent.append(args))
    return sent


def tell(user: User, now: datetime, **fields: str) -> Notice:
    values = {
        "kind": "release.revoked",
        "subject": "Release GMR000001 was revoked",
        "body": "A donor withdrew.",
        "url": "/research/releases/GMR000001/",
    } | fields
    return services.notify(user=user, now=now, **values)


def test_notice_is_in_the_inbox_unread(rosa: User, ira: User, now: datetime) -> None:
    notice = tell(rosa, now)

    assert list(selectors.inbox(rosa)) == [notice]
    assert not notice.is_read()
    assert selectors.unread_count(rosa) == 1
    assert not selectors.inbox(ira).exists()


def test_inbox_shows_the_newest_first(rosa: User, now: datetime) -> None:
    tell(rosa, now, subject="first")
    tell(rosa, now + timedelta(days=1), subject="third")
    tell(rosa, now, subject="second")

    assert [notice.subject for notice in selectors.inbox(rosa)] == [
        "third",
        "second",
        "first",
    ]


def test_mail_is_nudged_after_the_commit_and_only_then(
    rosa: User,
    now: datetime,
    nudged: list[tuple[object, ...]],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # pytest-django's own
        notice = tell(rosa, now)
        assert nudged == []

    assert nudged == [(tasks.mail_notice, notice.pk)]


def test_notice_goes_with_the_transaction_it_tells_of(
    rosa: User, now: datetime, nudged: list[tuple[object, ...]]
) -> None:
    with transaction.atomic():
        tell(rosa, now)
        transaction.set_rollback(True)

    assert not Notice.objects.exists()
    assert nudged == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "revoked"}, "dotted"),
        ({"kind": "Release.Revoked"}, "dotted"),
        ({"subject": " "}, "one line"),
        ({"subject": "x" * 201}, "one line"),
        ({"subject": "two\nlines"}, "one line"),
        ({"subject": "two\rlines"}, "one line"),
        ({"url": "https://evil.example/"}, "path on this site"),
        ({"url": "//evil.example/"}, "path on this site"),
        ({"url": "/\\evil.example/"}, "path on this site"),
    ],
)
def test_crooked_notice_is_refused(
    rosa: User, now: datetime, fields: dict[str, str], reason: str
) -> None:
    with pytest.raises(NoticeInvalid, match=reason):
        tell(rosa, now, **fields)

    assert not Notice.objects.exists()


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/"])
def test_database_itself_refuses_a_link_that_leaves(
    rosa: User, now: datetime, url: str
) -> None:
    with pytest.raises(IntegrityError, match="stays_on_this_site"):
        Notice.objects.create(
            user=rosa, kind="a.b", subject="x", url=url, created_at=now
        )


def test_read_once_is_read_for_good(rosa: User, now: datetime) -> None:
    notice = tell(rosa, now)
    later = now + timedelta(hours=1)

    services.mark_read(user=rosa, notice_id=notice.pk, now=now)
    services.mark_read(user=rosa, notice_id=notice.pk, now=later)

    notice.refresh_from_db()
    assert notice.read_at == now
    assert selectors.unread_count(rosa) == 0


def test_notices_of_others_look_as_if_they_were_not_there(
    rosa: User, ira: User, now: datetime
) -> None:
    notice = tell(rosa, now)

    for notice_id in (notice.pk, 0):
        with pytest.raises(NotFound, match="no such notice of yours"):
            services.mark_read(user=ira, notice_id=notice_id, now=now)
    assert selectors.unread_count(rosa) == 1


def test_all_are_read_at_once_and_only_ones_own(
    rosa: User, ira: User, now: datetime
) -> None:
    tell(rosa, now)
    tell(rosa, now)
    tell(ira, now)

    assert services.mark_all_read(user=rosa, now=now) == 2
    assert selectors.unread_count(rosa) == 0
    assert selectors.unread_count(ira) == 1


def test_who_is_erased_has_no_notice_left(
    rosa: User, ira: User, now: datetime, nudged: list[tuple[object, ...]]
) -> None:
    for user in (rosa, ira):
        tell(user, now)
    services.forget(user_id=rosa.pk, addresses=[rosa.email])
    assert list(Notice.objects.values_list("user", flat=True)) == [ira.pk]


def test_a_colleague_keeps_the_notices_of_her_work(
    rosa: User, now: datetime, nudged: list[tuple[object, ...]]
) -> None:
    kept = tell(rosa, now)
    tell(rosa, now, url="/donor/")
    services.forget(user_id=rosa.pk, addresses=[])
    assert list(Notice.objects.all()) == [kept]
