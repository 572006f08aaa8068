"""The donor's start page, and who used her data in full."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

import ledger.selectors
from consent import selectors, states
from consent.forms.sentences import plain_sentences
from consent.models import Act, Donor
from gemmule.web.donor import uses as use_rows
from gemmule.web.donor.member import donor_page
from gemmule.web.donor.words import act_words, must_stand
from gemmule.web.member import MemberRequest

_LATEST = 3
_FIRST = 3


@donor_page("GET")
def home(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Answer on one screen: what I allow, who used it, how I stop."""
    consent = selectors.current(donor)
    context = {
        "uses": use_rows.uses(donor, at_most=_LATEST),
        "use_count": use_rows.count(donor),
        "must_stand": must_stand(consent.form if consent else None),
    }
    if consent is None:
        return render(request, "donor/undecided.html", context)
    state = consent.state_on(timezone.now().date())
    said = plain_sentences(consent.to_terms(), consent.withheld, consent.discovery)
    # A phone has room for a few, and one more than that is no reason to fold.
    first = _FIRST if len(said) > _FIRST + 1 else len(said)
    return render(
        request,
        "donor/home.html",
        {
            **context,
            "consent": consent,
            "state": state,
            "words": act_words(consent),
            "said": said[:first],
            "said_more": said[first:],
            "entry": ledger.selectors.entries_by_event([consent.event]).get(
                consent.event
            ),
            "may_withdraw": states.is_allowed(Act.WITHDRAWN, state),
            "may_change": states.is_allowed(Act.CHANGED, state),
            "may_give": states.is_allowed(Act.GIVEN, state),
            "may_refuse": states.is_allowed(Act.REFUSED, state),
            "event": uuid.uuid4(),
        },
    )


@donor_page("GET")
def uses(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Show every release that held the donor, with what was decided and fetched."""
    return render(
        request,
        "donor/uses.html",
        {
            "uses": use_rows.uses(donor),
            "consent": selectors.current(donor),
            "must_stand": must_stand(None),
        },
    )
