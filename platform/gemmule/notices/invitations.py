"""Open an account for a colleague and tell them so."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from gemmule.accounts import services as accounts
from gemmule.accounts.models import Institution, User
from gemmule.notices import services


def invite(
    *,
    administrator: User,
    email: str,
    name: str,
    institution: Institution | None,
    now: datetime,
) -> User:
    """Open the account and mail where its owner sets the first password.

    The mail holds no secret: setting a password sends a link of its own.
    """
    with transaction.atomic():
        user = accounts.open_account(
            administrator=administrator,
            email=email,
            name=name,
            institution=institution,
        )
        services.notify(
            user=user,
            kind="account.opened",
            subject="An account was opened for you: set your password",
            body="Set a password, then sign in. Two administrators decide your roles.",
            url=reverse("account_reset_password"),
            now=now,
        )
    return user
