"""Addresses of allauth, each guarded as its act needs; the site refuses unknown ones.

What only shows something, or signs somebody in or out, is free. What changes who can
use an account asks for password or passkey again, unless its own form or a mailed link
does; then it only waits its turn.
"""

from collections.abc import Iterator

from allauth.urls import urlpatterns as allauth_patterns
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver

from gemmule.web.again import View, asked_again, in_turn

ASKED = (
    "account_email",
    "account_set_password",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
)
IN_TURN = (
    "account_change_password",
    "account_confirm_email",
    "account_reset_password_from_key",
)
FREE = (
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_email_verification_sent",
    "account_confirm_login_code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_list_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_login_webauthn",
)


def _guarded(
    patterns: list[URLPattern | URLResolver],
) -> Iterator[URLPattern | URLResolver]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield URLResolver(
                each.pattern,
                list(_guarded(each.url_patterns)),
                each.default_kwargs,
                each.app_name,
                each.namespace,
            )
        else:
            view = _guard(each.name, each.callback)
            yield URLPattern(each.pattern, view, each.default_args, each.name)


def _guard(name: str | None, view: View) -> View:
    if name in ASKED:
        return asked_again(view)
    if name in IN_TURN:
        return in_turn(view)
    if name in FREE:
        return view
    raise ImproperlyConfigured(
        f"allauth has an address {name!r} that this site does not know: name it in "
        f"ASKED, IN_TURN or FREE of {__name__}"
    )


urlpatterns = list(_guarded(allauth_patterns))
