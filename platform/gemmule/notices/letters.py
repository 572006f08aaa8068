"""Send each letter to the address it names: once, after as many tries as needed.

What a letter says is `own_account`; notices, which say little and wait in the inbox,
are `mail`.
"""

from datetime import datetime, timedelta

from django.core.mail import send_mail

from gemmule.notices.models import Letter

# Mail may be down for days, and a letter warns of what cannot be read elsewhere. It
# also says from where an account was used: it is kept no longer than it may be needed.
KEPT_FOR = timedelta(days=7)


def send(letter_id: int, *, now: datetime) -> bool:
    """Mail the letter unless it was mailed or deleted; return whether it was mailed.

    As with notices, the row is claimed before sending, and the claim is given back if
    sending fails. A person who is being erased gets no letter.
    """
    claimed = Letter.objects.filter(pk=letter_id, mailed_at=None).update(mailed_at=now)
    if not claimed:
        return False
    letter = Letter.objects.select_related("user").get(pk=letter_id)
    if not letter.user.is_active:
        return False
    try:
        send_mail(
            subject=f"[Gemmule] {letter.subject}",
            message=letter.body,
            from_email=None,
            recipient_list=[letter.address],
        )
    except OSError:  # What smtplib raises is an OSError too.
        Letter.objects.filter(pk=letter_id).update(mailed_at=None)
        raise
    return True


def left_behind(*, until: datetime) -> list[int]:
    """Return up to 500 letters from before `until` whose mail nobody sent."""
    waiting = Letter.objects.filter(
        mailed_at=None, created_at__lt=until, user__is_active=True
    )
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:500])


def forget_old(*, now: datetime) -> int:
    """Delete letters that are older than a week, mailed or not; return how many."""
    deleted, _ = Letter.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted
