"""Check and set passwords, and find who may be mailed a link to a new one.

The pages are allauth's.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from knox.models import AuthToken

from gemmule.accounts import services
from gemmule.accounts.models import User


def check_password(*, user: User, password: str, now: datetime) -> None:
    """Raise SignatureRefused unless this is the password of the user.

    All places that ask share one count of wrong answers, which signatures share too.
    """
    services.sign(
        user=user, password=password, statement=b"confirm that it is me", now=now
    )


def set_password(*, user: User, password: str) -> None:
    """Give the person a new password, and end all sessions and API tokens.

    A session holds a digest of the password it was opened with, so that none outlives
    it; whoever changes their own password has theirs renewed by allauth.
    """
    with transaction.atomic():
        # A token that is being made at this moment is made before, and ended here.
        User.objects.select_for_update().get(pk=user.pk)
        user.set_password(password)
        user.save(update_fields=["password"])
        AuthToken.objects.filter(user=user).delete()


def set_by_mailed_link(*, user: User, password: str) -> None:
    """Set the password of who opened the link, which proves the main address."""
    with transaction.atomic():
        set_password(user=user, password=password)
        for row in EmailAddress.objects.filter(user=user, primary=True):
            row.set_verified()


def recipients_of_link(email: str) -> list[User]:
    """Return the person whose main, verified address this is; nobody for any other.

    An account that an administrator opened has no password yet, and nothing that
    opens it: there the link is the invitation, and proves the address.
    """
    rows = EmailAddress.objects.select_related("user").filter(
        email=email.strip().lower(), primary=True, user__is_active=True
    )
    return [
        row.user
        for row in rows
        if row.user.email == row.email and (row.verified or _is_unopened(row.user))
    ]


def _is_unopened(user: User) -> bool:
    return (
        not user.has_usable_password()
        and not Authenticator.objects.filter(user=user).exists()
    )
