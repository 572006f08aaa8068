"""What happens when somebody signs up; signing in itself is allauth's."""

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import timezone

from gemmule.accounts import services
from gemmule.accounts.models import User


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
