"""What allauth asks this site: who may sign up, what a password is, how mail goes.

Signing in itself is allauth's.
"""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import timezone

from gemmule.accounts import passwords, services
from gemmule.accounts.errors import SignatureRefused, TooManyTries
from gemmule.accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # has no types
    """Let anyone open a donor account, and nobody any other kind."""

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        """Save who signed up as a donor: both, or neither."""
        assert commit, "allauth's sign-up form always saves"
        with transaction.atomic():
            super().save_user(request, user, form, commit=True)
            services.open_donor_account(user=user, now=timezone.now())
        return user

    def set_password(self, user: User, password: str) -> None:
        """Set the password; with the old one end all sessions and API tokens."""
        passwords.set_password(user=user, password=password)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Return whether this is the password; all places share one count of tries."""
        try:
            passwords.check_password(user=user, password=password, now=timezone.now())
        except TooManyTries:
            raise self.validation_error("too_many_login_attempts") from None
        except SignatureRefused:
            return False
        return True

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Return password and passkey: a code alone does not say who types it."""
        return [
            method
            for method in super().get_reauthentication_methods(user)
            if method["id"] != "mfa_reauthenticate"
        ]

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """Send a mail with a link; where mail is down, say so and lose nothing else.

        A link is a secret and is kept nowhere, so that it has to be asked for again.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # What smtplib raises is an OSError too.
            # The kind alone: its text names who was to get the mail.
            kind = type(error).__name__
            logger.error("a mail of %s could not be sent: %s", template_prefix, kind)
            messages.error(
                self.request,
                "We cannot send mail at the moment. Try again in a few minutes.",
            )
