"""Pages that anyone may read: what Gemmule is, and which datasets there are.

The public sees cards of datasets: no sample, no date of a source, and of donors a
rounded number alone.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import ledger.selectors
from gemmule.access.coverage import round_count
from gemmule.catalog import selectors
from gemmule.catalog.models import Dataset
from gemmule.releases import holding

_NEWEST = 3


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Say in a few lines what this is, and show the three ways in."""
    newest = selectors.published().order_by("-published_at")[:_NEWEST]
    return render(
        request, "public/landing.html", {"cards": [_card(one) for one in newest]}
    )


@require_GET
def how_it_works(request: HttpRequest) -> HttpResponse:
    """Tell the whole way of a donation, and what can be proved of it."""
    return render(
        request,
        "public/how.html",
        {"verifier_key": ledger.selectors.verifier_key()},
    )


@require_GET
def dataset_list(request: HttpRequest) -> HttpResponse:
    """Show the card of every published dataset."""
    return render(
        request,
        "public/datasets.html",
        {"cards": [_card(one) for one in selectors.published()]},
    )


@require_GET
def dataset(request: HttpRequest, accession: str) -> HttpResponse:
    """Show one dataset, and how it is asked for."""
    found = selectors.published_dataset(accession)
    if found.event is None:
        raise AssertionError("a published dataset has its ledger entry")
    return render(
        request,
        "public/dataset.html",
        {
            **_card(found),
            "entry": ledger.selectors.entry(found.event),
            "held": holding.why_held(found.pk),
        },
    )


def _card(dataset: Dataset) -> dict[str, object]:
    rounded = round_count(selectors.donor_count(dataset))
    return {
        "dataset": dataset,
        "donors": rounded.replace("< ", "fewer than ")
        if rounded.startswith("<")
        else f"about {rounded}",
    }
