"""Send the mail of one notice, at most once.

A mail says what it is about and where to read it; what happened stays behind the
sign-in, because mail travels in the open.
"""

from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail

from gemmule.notices.models import Notice


def send(notice_id: int, *, now: datetime) -> bool:
    """Mail the notice unless somebody did or it is gone; return whether we did.

    The row is claimed before sending, so that two workers with the same message
    send one mail; when sending fails the claim is given back and the error raised.
    """
    claimed = Notice.objects.filter(pk=notice_id).unmailed().update(mailed_at=now)
    if not claimed:
        return False
    notice = Notice.objects.select_related("user").get(pk=notice_id)
    if not notice.user.is_active:
        return False
    try:
        send_mail(
            subject=f"[Gemmule] {notice.subject}",
            message=_text(notice),
            from_email=None,
            recipient_list=[notice.user.email],
        )
    except OSError:  # What smtplib raises is an OSError too.
        Notice.objects.filter(pk=notice_id).update(mailed_at=None)
        raise
    return True


def _text(notice: Notice) -> str:
    address = f"{settings.PUBLIC_URL.rstrip('/')}{notice.url or '/account/inbox/'}"
    return (
        f"{notice.subject}\n\nRead more, signed in:\n{address}\n\n"
        "You get this because you have an account at Gemmule.\n"
    )
