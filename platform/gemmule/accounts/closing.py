"""Close the account of a donor who is being erased, and delete what it holds.

`shut` takes effect at once: the person is signed out and is nobody's donor any more.
`erase` deletes rows, later and as often as it takes. A colleague who is a donor besides
keeps the account she works with: what she did as staff stays hers, and signed.
"""

import uuid
from collections.abc import Iterator
from enum import StrEnum

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from knox.models import AuthToken

from gemmule.accounts import tries
from gemmule.accounts.models import DonorAccount, Role, User


class Outcome(StrEnum):
    """What became of an account."""

    GONE = "gone"
    ANONYMOUS = "anonymous"
    KEPT = "kept"


def shut(*, user: User) -> None:
    """Untie the person from her donor, and sign her out unless she works here too."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        DonorAccount.objects.filter(user=locked).delete()
        if not works_here(locked):
            # No session of an inactive person opens anything.
            locked.is_active = False
            locked.save(update_fields=["is_active"])


def works_here(user: User) -> bool:
    """Tell whether the person holds a role besides that of a donor."""
    return user.role_grants.active().exclude(role=Role.DONOR).exists()


def addresses_of(user_id: int) -> list[str]:
    """Return the e-mail addresses to be erased: none of an account that stays."""
    user = User.objects.filter(pk=user_id).first()
    if user is None or works_here(user):
        return []
    other = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return sorted({user.email, *other})


def erase(user_id: int) -> Outcome:
    """Delete the account; where acts of hers as staff rest on it, what is in it."""
    with transaction.atomic():
        _end_sessions(user_id)
        tries.forget(f"sign:{user_id}")
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            return Outcome.GONE
        if works_here(user):
            user.role_grants.filter(role=Role.DONOR).delete()
            return Outcome.KEPT
        if user.role_grants.exclude(role=Role.DONOR).exists():
            # Powers she had are on the ledger, and so may be what she did with them.
            _empty(user)
            return Outcome.ANONYMOUS
        user.delete()
    return Outcome.GONE


def _empty(user: User) -> None:
    """Leave of an account a row that other rows point at, and nothing in it."""
    for model in (EmailAddress, Authenticator, AuthToken):
        model.objects.filter(user=user).delete()
    user.role_grants.filter(role=Role.DONOR).delete()
    user.email = f"erased-{uuid.uuid4().hex}@erased.invalid"
    user.name = "Erased person"
    user.orcid = ""
    user.institution = None
    user.is_active = False
    user.last_login = None
    user.set_unusable_password()
    user.save()


def _end_sessions(user_id: int) -> None:
    for session in _sessions_of(str(user_id)):
        session.delete()


def _sessions_of(user_id: str) -> Iterator[Session]:
    # A session says whose it is only inside its signed data.
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == user_id:
            yield session
