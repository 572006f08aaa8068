"""Pages of the administrators: accounts, and roles given by two people."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

import gemmule.notices.roles
from gemmule.accounts import permissions, roles, selectors
from gemmule.accounts.errors import (
    AccountRefused,
    NotAllowed,
    NotFound,
    RoleRefused,
    SignatureRefused,
)
from gemmule.notices import invitations
from gemmule.web.forms.people import ConfirmForm, InviteForm, ProposeForm
from gemmule.web.member import MemberRequest


@require_GET
@login_required
def people(request: MemberRequest) -> HttpResponse:
    """List colleagues with their roles, and what waits for a second person."""
    permissions.check_may_manage_people(request.user)
    return render(
        request,
        "people/list.html",
        {"people": selectors.staff(), "proposals": selectors.open_proposals()},
    )


@require_http_methods(["GET", "POST"])
@login_required
def invite(request: MemberRequest) -> HttpResponse:
    """Open an account for a colleague."""
    permissions.check_may_manage_people(request.user)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = invitations.invite(
                administrator=request.user, now=timezone.now(), **form.cleaned_data
            )
        except AccountRefused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"{user.name} has an account and was mailed.")
            return redirect("people")
    return render(request, "people/invite.html", {"form": form})


@require_http_methods(["GET", "POST"])
@login_required
def role_propose(request: MemberRequest) -> HttpResponse:
    """Propose a role, for a second administrator to confirm."""
    permissions.check_may_manage_people(request.user)
    form = ProposeForm(
        request.POST or None, initial={"email": request.GET.get("email", "")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            roles.propose(
                administrator=request.user,
                user=selectors.user_by_email(form.cleaned_data["email"]),
                role=form.cleaned_data["role"],
                now=timezone.now(),
            )
        except (NotFound, NotAllowed) as refusal:
            form.add_error("email", str(refusal))
        except RoleRefused as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(
                request, "Proposed. A second administrator must confirm it."
            )
            return redirect("people")
    return render(request, "people/propose.html", {"form": form})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def role_confirm(request: MemberRequest, proposal_id: int) -> HttpResponse:
    """Give the proposed role, by the password of the second administrator."""
    permissions.check_may_manage_people(request.user)
    proposal = selectors.open_proposal(proposal_id)
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            gemmule.notices.roles.confirm(
                administrator=request.user,
                proposal_id=proposal_id,
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except SignatureRefused as refusal:
            form.add_error("password", str(refusal))
        else:
            messages.success(
                request, f"{proposal.user} is now {proposal.get_role_display()}."
            )
            return redirect("people")
    return render(
        request,
        "people/confirm.html",
        {
            "form": form,
            "proposal": proposal,
            "may_confirm": permissions.can_confirm(request.user, proposal),
        },
    )


@require_POST
@login_required
def role_decline(request: MemberRequest, proposal_id: int) -> HttpResponse:
    """Close a proposal without giving the role."""
    roles.decline(
        administrator=request.user, proposal_id=proposal_id, now=timezone.now()
    )
    messages.success(request, "The proposal is closed; nobody got a role.")
    return redirect("people")


@require_http_methods(["GET", "POST"])
@login_required
def role_revoke(request: MemberRequest, grant_id: int) -> HttpResponse:
    """Ask whether the role shall go, then take it away at once."""
    permissions.check_may_manage_people(request.user)
    grant = selectors.active_grant(grant_id)
    if request.method == "GET":
        return render(request, "people/revoke.html", {"grant": grant})
    gemmule.notices.roles.revoke(
        administrator=request.user, grant_id=grant_id, now=timezone.now()
    )
    messages.success(request, f"{grant.user} is no longer {grant.get_role_display()}.")
    return redirect("people")
