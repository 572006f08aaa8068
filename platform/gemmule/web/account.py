"""Pages of a person's own account: where they start, profile, keys, tokens, inbox.

Signing in and up, passwords and second factors are allauth's pages.
"""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

import gemmule.notices.selectors
import gemmule.notices.services
from gemmule.accounts import permissions, selectors, services
from gemmule.accounts.errors import (
    KeyRefused,
    ProofRefused,
    SecretKeyRefused,
    SignatureRefused,
    TokenRefused,
)
from gemmule.accounts.models import ResearcherKey, Role
from gemmule.accounts.origins import origin_of
from gemmule.notices import own_account
from gemmule.web.again import asked_again, in_turn
from gemmule.web.forms.account import KeyForm, ProfileForm, ProofForm, TokenForm
from gemmule.web.member import MemberRequest

NOTICES_PER_PAGE = 20

# Where each role's work begins; who holds several starts at the first.
_HOMES = {
    Role.IRB_CHAIR: "/irb/",
    Role.IRB_REVIEWER: "/irb/",
    Role.STEWARD: "/steward/",
    Role.RESEARCHER: "/research/",
    Role.AUDITOR: "/audit/",
    Role.ADMINISTRATOR: "/people/",
    Role.DONOR: "/donor/",
}


@require_GET
@login_required
def home(request: MemberRequest) -> HttpResponse:
    """Send a person who signed in to where their work begins."""
    held = selectors.roles_of(request.user)
    return redirect(
        next((page for role, page in _HOMES.items() if role in held), "/account/")
    )


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: MemberRequest) -> HttpResponse:
    """Show who the person is here, and let them change their name."""
    form = ProfileForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        return _rename(request, form.cleaned_data["name"])
    return render(
        request,
        "account_own/profile.html",
        {
            "form": form,
            "is_donor": selectors.donor_of(request.user) is not None,
            "may_register_key": permissions.has_role(
                request.user, *permissions.KEY_ROLES
            ),
            "may_use_api": permissions.has_role(request.user, *permissions.TOKEN_ROLES),
        },
    )


@asked_again
def _rename(request: MemberRequest, name: str) -> HttpResponse:
    own_account.update_profile(
        user=request.user, name=name, origin=origin_of(request), now=timezone.now()
    )
    messages.success(request, "Your name was changed.")
    return redirect("profile")


# --- keys --------------------------------------------------------------------


@require_GET
@login_required
def key_list(request: MemberRequest) -> HttpResponse:
    """List the keys that files can be encrypted to, and those to be proven."""
    permissions.check_may_register_key(request.user)
    found = list(request.user.researcher_keys.all())
    states = ResearcherKey.State
    return render(
        request,
        "account_own/keys.html",
        {
            "in_use": [key for key in found if key.state != states.RETIRED],
            "retired": [key for key in found if key.state == states.RETIRED],
        },
    )


@sensitive_post_parameters("public_key")
@require_http_methods(["GET", "POST"])
@login_required
def key_new(request: MemberRequest) -> HttpResponse:
    """Take a public key and challenge its owner; never repeat a secret one."""
    permissions.check_may_register_key(request.user)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _begin_key(request, form)
    form.forget_refused_key()
    return render(request, "account_own/key_new.html", {"form": form})


@asked_again
def _begin_key(request: MemberRequest, form: KeyForm) -> HttpResponse:
    try:
        key = services.begin_key(
            user=request.user,
            name=form.cleaned_data["name"],
            public_key_text=form.cleaned_data["public_key"],
            now=timezone.now(),
        )
    except KeyRefused as refusal:
        form.add_error("public_key", str(refusal))
        form.forget_refused_key()
        return render(request, "account_own/key_new.html", {"form": form})
    return redirect("key_detail", key_id=key.pk)


@require_http_methods(["GET", "POST"])
@login_required
def key_detail(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    """Show a key; while it is pending, take the proof of possession."""
    permissions.check_may_register_key(request.user)
    key = selectors.key_of(request.user, key_id)
    form = ProofForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _prove_key(request, key, form)
    return _key_page(request, key, form)


@asked_again
def _prove_key(
    request: MemberRequest, key: ResearcherKey, form: ProofForm
) -> HttpResponse:
    try:
        own_account.prove_key(
            user=request.user,
            key_id=key.pk,
            answer=form.cleaned_data["answer"],
            origin=origin_of(request),
            now=timezone.now(),
        )
    except (ProofRefused, SecretKeyRefused) as refusal:
        form.add_error("answer", str(refusal))
        key.refresh_from_db()
        return _key_page(request, key, form)
    messages.success(request, "The key is proven: it can receive files.")
    return redirect("key_detail", key_id=key.pk)


def _key_page(
    request: MemberRequest, key: ResearcherKey, form: ProofForm
) -> HttpResponse:
    form.forget_answer()
    return render(
        request,
        "account_own/key.html",
        {
            "key": key,
            "form": form,
            "needs_new_challenge": services.needs_new_challenge(
                key, now=timezone.now()
            ),
        },
    )


@require_GET
@login_required
def key_challenge(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    """Send the challenge of a pending key as a small Crypt4GH file."""
    key = selectors.key_of(request.user, key_id)
    return HttpResponse(
        services.challenge_file(key),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": 'attachment; filename="challenge.c4gh"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
@login_required
def key_renew(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    """Make a new challenge for a key that still waits for its proof."""
    permissions.check_may_register_key(request.user)
    return _renew_challenge(request, selectors.key_of(request.user, key_id))


@asked_again
def _renew_challenge(request: MemberRequest, key: ResearcherKey) -> HttpResponse:
    services.renew_challenge(user=request.user, key_id=key.pk, now=timezone.now())
    messages.success(request, "There is a new challenge: download and decrypt it.")
    return redirect("key_detail", key_id=key.pk)


@require_http_methods(["GET", "POST"])
@login_required
def key_retire(request: MemberRequest, key_id: uuid.UUID) -> HttpResponse:
    """Ask whether the key shall go, then retire it."""
    key = selectors.key_of(request.user, key_id)
    if request.method == "GET":
        return render(request, "account_own/key_retire.html", {"key": key})
    return _retire_key(request, key)


@asked_again
def _retire_key(request: MemberRequest, key: ResearcherKey) -> HttpResponse:
    own_account.retire_key(
        user=request.user,
        key_id=key.pk,
        origin=origin_of(request),
        now=timezone.now(),
    )
    messages.success(request, "The key is out of use.")
    return redirect("key_list")


# --- tokens ------------------------------------------------------------------


@require_GET
@login_required
def token_list(request: MemberRequest) -> HttpResponse:
    """List the person's API tokens; the tokens themselves nobody can show."""
    permissions.check_may_use_api(request.user)
    now = timezone.now()
    tokens = [
        {"label": label, "expired": label.is_expired(now)}
        for label in selectors.tokens_of(request.user)
    ]
    return render(request, "account_own/tokens.html", {"tokens": tokens})


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@in_turn
def token_new(request: MemberRequest) -> HttpResponse:
    """Issue a token to who gives their password, and show it this once."""
    permissions.check_may_use_api(request.user)
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.sign(
                user=request.user,
                password=form.cleaned_data["password"],
                statement=b"issue an API token",
                now=timezone.now(),
            )
            token = own_account.issue_token(
                user=request.user,
                name=form.cleaned_data["name"],
                expiry=form.expiry(),
                origin=origin_of(request),
                now=timezone.now(),
            )
        except SignatureRefused as refusal:
            form.add_error("password", str(refusal))
        except TokenRefused as refusal:
            form.add_error("name", str(refusal))
        else:
            # Not a redirect: the token would have to lie in the session meanwhile.
            return render(
                request,
                "account_own/token_shown.html",
                {
                    "token": token,
                    "api_url": request.build_absolute_uri("/api/v1/datasets/"),
                },
            )
    return render(request, "account_own/token_new.html", {"form": form})


@require_http_methods(["GET", "POST"])
@login_required
def token_revoke(request: MemberRequest, token_id: uuid.UUID) -> HttpResponse:
    """Ask whether the token shall end, then end it."""
    label = selectors.token_of(request.user, token_id)
    if request.method == "GET":
        return render(request, "account_own/token_revoke.html", {"label": label})
    services.revoke_token(user=request.user, token_id=token_id)
    messages.success(request, "The token is revoked: it opens nothing any more.")
    return redirect("token_list")


# --- inbox -------------------------------------------------------------------


@require_GET
@login_required
def inbox(request: MemberRequest) -> HttpResponse:
    """Show what the person should know, the newest first."""
    notices = gemmule.notices.selectors.inbox(request.user)
    page = Paginator(notices, NOTICES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "account_own/inbox.html",
        {
            "page": page,
            "unread": gemmule.notices.selectors.unread_count(request.user),
        },
    )


@require_POST
@login_required
def notice_open(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Mark a notice read and go to what it is about."""
    notice = gemmule.notices.services.mark_read(
        user=request.user, notice_id=notice_id, now=timezone.now()
    )
    return redirect(notice.url or "inbox")


@require_POST
@login_required
def inbox_read(request: MemberRequest) -> HttpResponse:
    """Mark every notice read."""
    gemmule.notices.services.mark_all_read(user=request.user, now=timezone.now())
    return redirect("inbox")
