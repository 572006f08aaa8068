"""Tell people things: a row in their inbox, and mail as a best effort."""

import re
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from gemmule import celery
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.notices import mail, tasks
from gemmule.notices.errors import NoticeInvalid
from gemmule.notices.models import Letter, Notice

_KIND = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
# Browsers read a backslash as a slash, so that /\host leaves the site too.
_PATH = re.compile(r"/(?![/\\])[^\\\s]*")


def notify(
    *, user: User, kind: str, subject: str, body: str, url: str, now: datetime
) -> Notice:
    """Put a notice into the person's inbox, inside the caller's transaction.

    It is there if and only if what it tells of is. Mail follows after the commit
    and may fail without harm.
    """
    if not _KIND.fullmatch(kind):
        raise NoticeInvalid(
            f"a kind is dotted, in the past tense, like release.revoked, not {kind!r}"
        )
    if not subject.strip() or len(subject) > 200 or len(subject.splitlines()) > 1:
        raise NoticeInvalid("a subject is one line of 1 to 200 characters")
    if url and not _PATH.fullmatch(url):
        raise NoticeInvalid("the link of a notice is a path on this site")
    notice = Notice.objects.create(
        user=user,
        kind=kind,
        subject=subject.strip(),
        body=body.strip(),
        url=url,
        created_at=now,
    )
    transaction.on_commit(
        lambda: celery.nudge(tasks.mail_notice, notice.pk), robust=True
    )
    return notice


def mark_read(*, user: User, notice_id: int, now: datetime) -> Notice:
    """Take a notice of the person's own from the unread; twice is once."""
    notice = Notice.objects.filter(user=user, pk=notice_id).first()
    if notice is None:
        raise NotFound("there is no such notice of yours")
    if notice.read_at is None:
        notice.read_at = now
        notice.save(update_fields=["read_at"])
    return notice


def mark_all_read(*, user: User, now: datetime) -> int:
    """Take all notices of the person from the unread; return how many there were."""
    return Notice.objects.filter(user=user).unread().update(read_at=now)


def forget(*, user_id: int, addresses: Collection[str]) -> None:
    """Delete a person's notices and letters, and mails of theirs that lie in files.

    Letters also went to addresses that the account no longer has. Without addresses the
    account stays, and only what mentions the person as a donor is deleted.
    """
    if addresses:
        letters = Letter.objects.filter(user_id=user_id)
        addresses = {*addresses, *letters.values_list("address", flat=True)}
        letters.delete()
    mail.forget(addresses)
    hers = Notice.objects.filter(user_id=user_id)
    if not addresses:
        hers = hers.filter(url__startswith="/donor/")
    hers.delete()
