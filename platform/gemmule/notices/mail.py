"""Send the mail of one notice, at most once.

A mail says what it is about and where to read it; what happened stays behind the
sign-in, because mail travels in the open.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail

from gemmule.notices.models import Notice

# As Django writes it behind each mail of a file.
_AFTER_EACH = b"-" * 79 + b"\n"


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


def forget(addresses: Collection[str]) -> int:
    """Delete mails to these addresses that lie in files; return how many.

    The embedded default writes mails into a folder instead of sending them, some of one
    second into the same file. What was sent is out of our hands.
    """
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", None) or "")
    if "filebased" not in settings.EMAIL_BACKEND or not addresses:
        return 0
    deleted = 0
    for path in folder.glob("*.log"):
        mails = path.read_bytes().split(_AFTER_EACH)
        kept = [mail for mail in mails if not _names_any(mail, addresses)]
        if len(kept) == len(mails):
            continue
        deleted += len(mails) - len(kept)
        if any(mail.strip() for mail in kept):
            path.write_bytes(_AFTER_EACH.join(kept))
        else:
            path.unlink(missing_ok=True)
    return deleted


def _names_any(mail: bytes, addresses: Collection[str]) -> bool:
    text = mail.decode("utf-8", "replace").casefold()
    return any(address.casefold() in text for address in addresses)


def _text(notice: Notice) -> str:
    address = f"{settings.PUBLIC_URL.rstrip('/')}{notice.url or '/account/inbox/'}"
    return (
        f"{notice.subject}\n\nRead more, signed in:\n{address}\n\n"
        "You get this because you have an account at Gemmule.\n"
    )
