"""The ledger for everyone: its head, and any entry with its proof checked at once."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import ledger.selectors
from gemmule.accounts.errors import NotFound
from ledger import inclusion
from ledger.errors import EntryNotFound, VerificationError


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show size, root and last checkpoint, and what the ledger can and cannot show."""
    return render(
        request,
        "ledger/overview.html",
        {
            "pending": ledger.selectors.pending_count(),
            "verifier_key": ledger.selectors.verifier_key(),
        },
    )


@require_GET
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Serve the latest checkpoint as a signed note (C2SP tlog-checkpoint)."""
    latest = ledger.selectors.latest_checkpoint()
    if latest is None:
        raise NotFound("the ledger has no checkpoint yet")
    return HttpResponse(latest.note, content_type="text/plain; charset=utf-8")


@require_GET
def entry(request: HttpRequest, event: UUID) -> HttpResponse:
    """Verify one entry there and then, and show its public part."""
    try:
        found = ledger.selectors.entry(event)
    except EntryNotFound as error:
        raise NotFound("the ledger has no such entry") from error
    checked, proof, problem = None, None, ""
    try:
        proof = inclusion.prove(event)
        checked = inclusion.check(proof)
    except EntryNotFound:
        pass  # It waits for a checkpoint; the page says so.
    except VerificationError as error:
        problem = str(error)
    return render(
        request,
        "ledger/entry.html",
        {"entry": found, "proof": proof, "checked": checked, "problem": problem},
    )
