"""Say no, withdraw, pause, go on: one button each, no password, no reason.

They need the database and nothing else. A hidden event id makes a double click one
act; without one the act is done all the same.
"""

import uuid
from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from consent import selectors, states
from consent.models import Act, Channel, Consent, Donor
from gemmule.releases import services
from gemmule.web.donor import draft, uses
from gemmule.web.donor.member import View, donor_page
from gemmule.web.donor.words import must_stand
from gemmule.web.forms.donor import EventForm
from gemmule.web.member import MemberRequest


@donor_page("GET", "POST")
def refuse(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Say no: a recorded answer of its own."""
    if request.method == "POST":
        event = _event(request)
        done = _standing(donor, Act.REFUSED) or services.refuse_consent(
            donor=donor,
            form=selectors.published_form(),
            channel=Channel.DONOR,
            event=event,
            now=timezone.now(),
        )
        draft.drop(request.session)
        return redirect("donor_receipt", event=done.event)
    states.check(Act.REFUSED, _state(donor))
    return render(request, "donor/refuse.html", {"event": uuid.uuid4()})


@donor_page("GET", "POST")
def withdraw(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Say with live numbers what a withdrawal does, then do it at one click."""
    done = _standing(donor, Act.WITHDRAWN)
    if request.method == "POST":
        done = done or services.withdraw_consent(
            donor=donor,
            channel=Channel.DONOR,
            event=_event(request),
            now=timezone.now(),
        )
        draft.drop(request.session)
    if done is not None:
        return redirect("donor_receipt", event=done.event)
    states.check(Act.WITHDRAWN, _state(donor))
    standing = selectors.current(donor)
    return render(
        request,
        "donor/withdraw.html",
        {
            "event": uuid.uuid4(),
            "numbers": uses.stopping(donor),
            "state": _state(donor),
            "must_stand": must_stand(standing.form if standing else None),
        },
    )


def _at_once(act: Act, record: Callable[..., Consent]) -> View[[]]:
    """Return the view of an act that takes one button on the start page."""

    @donor_page("POST")
    def view(request: MemberRequest, donor: Donor) -> HttpResponse:
        done = _standing(donor, act) or record(
            donor=donor,
            channel=Channel.DONOR,
            event=_event(request),
            now=timezone.now(),
        )
        return redirect("donor_receipt", event=done.event)

    return view


pause = _at_once(Act.PAUSED, services.pause_consent)
resume = _at_once(Act.RESUMED, services.resume_consent)


def _standing(donor: Donor, act: Act) -> Consent | None:
    """Return the standing act if it is this one already: nothing is left to do."""
    standing = selectors.current(donor)
    return standing if standing is not None and standing.act == act else None


def _state(donor: Donor) -> str | None:
    standing = selectors.current(donor)
    return standing.state_on(timezone.now().date()) if standing else None


def _event(request: MemberRequest) -> UUID:
    form = EventForm(request.POST)
    form.is_valid()
    # A damaged form must not stand in the way of stopping.
    sent: UUID | None = form.cleaned_data.get("event")
    return sent or uuid.uuid4()
