"""Erase everything about me: said plainly, signed anew, done from then on.

One page tells what goes and what stays, and takes the password; the next one is for
everybody who knows its address, because by then there is no account to sign in to.
"""

from uuid import UUID

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET

import ledger.selectors
from consent import selectors, states
from consent.models import Act, Donor
from gemmule.accounts.closing import works_here
from gemmule.accounts.errors import NotFound, SignatureRefused
from gemmule.releases import services
from gemmule.releases.models import Erasure, ErasureStage
from gemmule.web.donor import uses
from gemmule.web.donor.member import donor_page
from gemmule.web.forms.donor import EraseForm
from gemmule.web.member import MemberRequest


@sensitive_post_parameters("password")
@donor_page("GET", "POST")
def erase(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Say what goes, what stays and why; on the password begin, and sign her out."""
    form = EraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            begun = services.ask_for_erasure(
                user=request.user,
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except SignatureRefused as refusal:
            text = str(refusal)
            form.add_error("password", f"{text[:1].upper()}{text[1:]}.")
        else:
            logout(request)
            return redirect("erased", erasure_id=begun.pk)
    standing = selectors.current(donor)
    return render(
        request,
        "donor/erase.html",
        {
            "form": form,
            "decided": standing is not None,
            "may_withdraw": standing is not None
            and states.is_allowed(
                Act.WITHDRAWN, standing.state_on(timezone.now().date())
            ),
            "numbers": uses.stopping(donor),
            "works_here": works_here(request.user),
        },
        status=422 if form.errors else 200,
    )


@never_cache
@require_GET
def erased(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Tell whoever has the address how far an erasure is; the row names nobody."""
    found = Erasure.objects.filter(pk=erasure_id).first()
    if found is None:
        raise NotFound("there is no such page")
    events = ledger.selectors.entries_by_event([found.event])
    return render(
        request,
        "donor/erased.html",
        {
            "erasure": found,
            "is_done": found.stage == ErasureStage.DONE,
            "entry": events.get(found.event),
        },
    )
