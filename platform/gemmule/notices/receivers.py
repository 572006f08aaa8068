"""Hear of what is done on allauth's pages, and have `own_account` write of it.

Our views around those pages hold act and letter in one transaction. What allauth says
after its commit, of new recovery codes alone, is written right behind it.
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from gemmule.accounts.models import User
from gemmule.accounts.origins import origin_of
from gemmule.notices import own_account

_PASSWORD = {
    account.password_changed: ("password.changed", "Your password was changed"),
    account.password_set: ("password.set", "A password was set for your account"),
    account.password_reset: (
        "password.reset",
        "A new password was set for your account through a mailed link",
    ),
}
_FACTOR = {
    Authenticator.Type.WEBAUTHN: ("passkey", "A passkey"),
    Authenticator.Type.TOTP: ("authenticator", "An authenticator app"),
}


def connect() -> None:
    """Listen; called once, when the room is ready."""
    for signal in _PASSWORD:
        signal.connect(_password_set, dispatch_uid="gemmule.notices")
    for signal, receiver in (
        (account.email_added, _address_added),
        (account.email_confirmed, _address_confirmed),
        (account.email_changed, _main_address_changed),
        (account.email_removed, _address_removed),
        (mfa.authenticator_added, _factor_added),
        (mfa.authenticator_removed, _factor_removed),
        (mfa.authenticator_reset, _codes_made),
    ):
        signal.connect(receiver, dispatch_uid="gemmule.notices")


def _tell(
    request: HttpRequest, user: User, kind: str, subject: str, **more: Any
) -> None:
    own_account.tell(
        user=user,
        kind=kind,
        subject=subject,
        origin=origin_of(request),
        now=timezone.now(),
        **more,
    )


def _password_set(signal: Signal, request: HttpRequest, user: User, **_: Any) -> None:
    kind, subject = _PASSWORD[signal]
    detail = "All other sessions and all API tokens of your account have ended."
    _tell(request, user, kind, subject, detail=detail)


def _address_added(
    request: HttpRequest, user: User, email_address: EmailAddress, **_: Any
) -> None:
    # The new address itself is mailed a link that it has to confirm.
    _tell(
        request,
        user,
        "address.added",
        "An e-mail address was added to your account",
        detail=f"The address is {email_address.email}. Nobody can sign in with it "
        "until it is confirmed.",
    )


def _address_confirmed(
    request: HttpRequest, email_address: EmailAddress, **_: Any
) -> None:
    user = email_address.user
    if email_address.email == user.email:
        return  # Whoever signs up confirms the only address there is.
    _tell(
        request,
        user,
        "address.confirmed",
        "An e-mail address of your account was confirmed",
        detail=f"The address is {email_address.email}. You can sign in with it and "
        "your password.",
        also=[email_address.email],
    )


def _main_address_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    before = "" if from_email_address is None else from_email_address.email
    _tell(
        request,
        user,
        "address.changed",
        "Your account has a new main e-mail address",
        detail=f"The main address is now {to_email_address.email}"
        + (f" and was {before}." if before else "."),
        also=[before],
    )


def _address_removed(
    request: HttpRequest, user: User, email_address: EmailAddress, **_: Any
) -> None:
    _tell(
        request,
        user,
        "address.removed",
        "An e-mail address was removed from your account",
        detail=f"The address was {email_address.email}.",
        also=[email_address.email],
    )


def _factor_added(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    _tell_of_factor(request, user, authenticator, "added", "was added to your account")


def _factor_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    _tell_of_factor(
        request, user, authenticator, "removed", "was removed from your account"
    )


def _tell_of_factor(
    request: HttpRequest,
    user: User,
    authenticator: Authenticator,
    act: str,
    what_happened: str,
) -> None:
    # Recovery codes come and go with the other factors, which get a letter.
    if authenticator.type in _FACTOR:
        kind, what = _FACTOR[authenticator.type]
        _tell(request, user, f"{kind}.{act}", f"{what} {what_happened}")


def _codes_made(request: HttpRequest, user: User, **_: Any) -> None:
    _tell(
        request,
        user,
        "recovery_codes.made",
        "New recovery codes were made for your account",
        detail="The codes you had before do not work any more.",
    )
