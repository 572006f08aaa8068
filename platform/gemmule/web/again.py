"""Ask for the password or passkey again before an act on a person's own account.

A session shows that somebody signed in on this device, perhaps hours ago; it is not
the person. The page that asks holds what was typed, never the session: whoever has a
copy of the cookie could leave an act there that the next password carries out.
`urls.signing_in` says which of allauth's addresses ask; forms that sign ask themselves.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal import flows as webauthn_flows
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from gemmule.accounts import keys, passwords
from gemmule.accounts.errors import SignatureRefused
from gemmule.accounts.models import User
from gemmule.web.forms.account import AgainForm

View = Callable[..., HttpResponse]

_READING = ("GET", "HEAD", "OPTIONS", "TRACE")
_PREFIX = "again"


def asked_again(view: View) -> View:
    """Let the view act only if password or passkey were given in the last minutes.

    Reading stays free. Our own views wrap only their last step, so that mistakes and
    acts that are not allowed are reported without asking.
    """
    acting = in_turn(view)

    @sensitive_post_parameters()
    @wraps(view)
    def ask(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (
            request.method in _READING
            or not request.user.is_authenticated
            or is_recent(request)
        ):
            return acting(request, *args, **kwargs)
        page = _page_unless_given(request)
        return acting(request, *args, **kwargs) if page is None else page

    return ask


def in_turn(view: View) -> View:
    """Let acts on one account happen one after another, each whole or not at all.

    Whoever acts is read again under the lock: a session that a new password has just
    ended acts no more, and of two changes the second sees the first.
    """

    @wraps(view)
    def act(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in _READING:
            return view(request, *args, **kwargs)
        with transaction.atomic():
            if request.user.is_authenticated:
                User.objects.select_for_update().filter(pk=request.user.pk).first()
                request.user = get_user(request)
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
            return view(request, *args, **kwargs)

    return act


def is_recent(request: HttpRequest) -> bool:
    """Return whether password or passkey were given in answer to being asked again.

    Signing in does not count, however short ago; nor does a code alone.
    """
    moments = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record.get("reauthenticated")
        and (
            record["method"] == "password"
            or record.get("type") == Authenticator.Type.WEBAUTHN
        )
    ]
    age_s = time.time() - max(moments, default=0)
    return age_s < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def renew_session(
    request: HttpRequest, reauthenticated: bool = False, **_: Any
) -> None:
    """Give the session a new cookie once somebody was asked again.

    Otherwise a copy of the old cookie could act with the password that its owner gave.
    """
    if reauthenticated:
        request.session.cycle_key()


def _page_unless_given(request: HttpRequest) -> HttpResponse | None:
    """Return the page that asks; None once the answer in the request is right."""
    assert isinstance(request.user, User), "is signed in"
    form = AgainForm(prefix=_PREFIX)
    passkeys = ReauthenticateWebAuthnForm(user=request.user, prefix=_PREFIX)
    if form.add_prefix("password") in request.POST:
        form = AgainForm(request.POST, prefix=_PREFIX)
        if form.is_valid():
            try:
                passwords.check_password(
                    user=request.user,
                    password=form.cleaned_data["password"],
                    now=timezone.now(),
                )
            except SignatureRefused as refusal:
                form.add_error("password", str(refusal))
            else:
                reauthenticate_by_password(request)
                return None
    elif passkeys.add_prefix("credential") in request.POST:
        passkeys = ReauthenticateWebAuthnForm(
            user=request.user, data=request.POST, prefix=_PREFIX
        )
        if passkeys.is_valid():
            webauthn_flows.reauthenticate(request, passkeys.cleaned_data["credential"])
            return None
    return _page(request, request.user, form, passkeys)


@never_cache
def _page(
    request: HttpRequest,
    user: User,
    form: AgainForm,
    passkeys: ReauthenticateWebAuthnForm,
) -> HttpResponse:
    has_passkey = Authenticator.objects.filter(
        user=user, type=Authenticator.Type.WEBAUTHN
    ).exists()
    options = webauthn.begin_authentication(user) if has_passkey else None
    return render(
        request,
        "account_own/again.html",
        {
            "form": form,
            "passkey_form": passkeys,
            "has_password": user.has_usable_password(),
            "has_passkey": has_passkey,
            "typed": _typed(request),
            "js_data": {"request_options": options},
        },
        status=403,
    )


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was sent, but for passwords and what looks like a secret key."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
        and not name.startswith(f"{_PREFIX}-")
        and "password" not in name
        and len(value) <= keys.MAX_TEXT_CHARACTERS
        and not keys.holds_secret(value)
    ]
