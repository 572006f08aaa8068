"""Mail notices in the background; rows say which are still to be mailed."""

from datetime import timedelta

from django.utils import timezone

from gemmule.celery import app, nudge
from gemmule.notices import letters, mail, selectors

# A mail that is a day late tells nothing that the inbox has not told.
GIVE_UP_AFTER = timedelta(days=1)
LEFT_BEHIND_AFTER = timedelta(minutes=5)


@app.task(
    name="notices.mail",
    autoretry_for=(OSError,),
    max_retries=5,
    retry_backoff=10,
    retry_backoff_max=600,
    acks_late=True,
)
def mail_notice(notice_id: int) -> None:
    """Mail one notice; safe to run twice."""
    mail.send(notice_id, now=timezone.now())


@app.task(
    name="notices.mail_letter",
    autoretry_for=(OSError,),
    max_retries=5,
    retry_backoff=10,
    retry_backoff_max=600,
    acks_late=True,
)
def mail_letter(letter_id: int) -> None:
    """Mail one letter; safe to run twice."""
    letters.send(letter_id, now=timezone.now())


@app.task(name="notices.mail_left_behind", acks_late=True)
def mail_left_behind() -> None:
    """Pick up notices and letters whose message was lost, and forget old letters."""
    now = timezone.now()
    letters.forget_old(now=now)
    for letter_id in letters.left_behind(until=now - LEFT_BEHIND_AFTER):
        nudge(mail_letter, letter_id)
    waiting = selectors.left_behind(
        since=now - GIVE_UP_AFTER, until=now - LEFT_BEHIND_AFTER
    )
    for notice_id in waiting:
        nudge(mail_notice, notice_id)
