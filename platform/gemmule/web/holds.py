"""Pages of the administrators: what holds releases, and two signatures that lift it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from gemmule.accounts import permissions
from gemmule.accounts.errors import SignatureRefused
from gemmule.releases import holding, holds
from gemmule.releases.errors import HoldStands
from gemmule.web.forms.people import HoldForm
from gemmule.web.member import MemberRequest


@require_GET
@login_required
def hold_list(request: MemberRequest) -> HttpResponse:
    """List the holds that stand, and what contradicts the rows just now."""
    permissions.check_may_manage_people(request.user)
    return render(
        request,
        "people/holds.html",
        {
            "holds": holds.open_holds(),
            "contradictions": holding.refresh(now=timezone.now()),
        },
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def hold_sign(request: MemberRequest, hold_id: int) -> HttpResponse:
    """Show what was found, and let an administrator sign that it was read."""
    permissions.check_may_manage_people(request.user)
    hold = get_object_or_404(holds.open_holds().select_related("read_by"), pk=hold_id)
    form = HoldForm(
        request.POST or None, initial={"findings_sha256": hold.findings_sha256}
    )
    if request.method == "POST" and form.is_valid():
        try:
            signed = holds.sign(
                administrator=request.user,
                hold=hold,
                findings_sha256=form.cleaned_data["findings_sha256"],
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except (HoldStands, SignatureRefused) as refusal:
            form.add_error("password", str(refusal))
        else:
            messages.success(
                request,
                "The hold is lifted."
                if signed.lifted_at
                else "Signed. A second administrator must read and sign it as well.",
            )
            return redirect("holds")
    return render(request, "people/hold.html", {"form": form, "hold": hold})
