"""Grant a role from the machine itself, to start a fresh installation."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from gemmule.accounts import selectors, services
from gemmule.accounts.errors import AccountsError
from gemmule.accounts.models import Role, User
from gemmule.notices import roles


class Command(BaseCommand):
    help = (
        "Give a person a role, recorded on the ledger as granted from the command "
        "line. Refused once two administrators exist, unless --confirmed-by names "
        "one of them; grant roles on the people page then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's e-mail address")
        parser.add_argument(
            "role",
            choices=[role.value for role in Role if role is not Role.DONOR],
            help="the role to give",
        )
        parser.add_argument(
            "--confirmed-by",
            metavar="EMAIL",
            help="the administrator who confirmed this, never the person themselves",
        )
        parser.add_argument(
            "--create",
            metavar="NAME",
            help="open an account of this name first, with a password asked for here",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant the role, or say why not and leave everything as it was."""
        now = timezone.now()
        try:
            with transaction.atomic():
                user = self._user(options["email"], options["create"])
                confirmer = options["confirmed_by"]
                grant = roles.grant_by_command(
                    user=user,
                    role=Role(options["role"]),
                    confirmed_by=(
                        selectors.user_by_email(confirmer) if confirmer else None
                    ),
                    now=now,
                )
        except AccountsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user.email} is now {Role(grant.role).label}")

    def _user(self, email: str, name: str | None) -> User:
        if name is None:
            return selectors.user_by_email(email)
        password = getpass.getpass(f"Password for {email}: ")
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if getpass.getpass("The same again: ") != password:
            raise CommandError("the two passwords differ")
        return services.open_account_by_command(
            email=email, name=name, password=password
        )
