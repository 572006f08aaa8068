"""What a donor did: the timeline of her acts, a receipt for each, one file of all."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

import ledger.records
import ledger.selectors
from consent import selectors
from consent.forms.sentences import plain_sentences
from consent.models import Consent, Donor
from gemmule.accounts.errors import NotFound
from gemmule.audit.errors import NotYetPublished
from gemmule.web.donor.member import donor_page
from gemmule.web.donor.sealed import body_of
from gemmule.web.donor.words import ActWords, act_words, must_stand
from gemmule.web.member import MemberRequest
from ledger.selectors import EntryView


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act on the timeline."""

    consent: Consent
    words: ActWords
    said: list[str]
    entry: EntryView | None


@donor_page("GET")
def history(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Show all acts, the newest first, each with its words and its seal."""
    rows = list(selectors.history(donor))
    entries = ledger.selectors.entries_by_event(row.event for row in rows)
    return render(
        request,
        "donor/history.html",
        {
            "steps": [_step(row, entries.get(row.event)) for row in rows],
            "must_stand": must_stand(rows[0].form if rows else None),
        },
    )


@donor_page("GET")
def receipt(request: MemberRequest, donor: Donor, event: UUID) -> HttpResponse:
    """Confirm one act: what it says, what happens now, and how to prove it."""
    consent = selectors.history(donor).filter(event=event).first()
    if consent is None:
        raise NotFound("you have no such receipt")
    body = body_of(event)
    evidence: dict[str, Any] = (body or {}).get("evidence") or {}
    entry = ledger.selectors.entries_by_event([event]).get(event)
    step = _step(consent, entry)
    return render(
        request,
        "donor/receipt.html",
        {
            "step": step,
            # As it was read and signed; today's words might differ.
            "said": evidence.get("sentences") or step.said,
            "evidence": evidence,
            "opens": body is not None,
            "latest": ledger.selectors.latest_checkpoint(),
            "must_stand": must_stand(consent.form),
        },
    )


@donor_page("GET")
def whole(request: MemberRequest, donor: Donor) -> HttpResponse:
    """Hand out all acts in one file, with receipts and what opens them."""
    found = ledger.records.of_subject(donor.subject, now=timezone.now())
    if found.waiting and not found.acts:
        raise NotYetPublished(
            "what you decided waits for its seal; try again in a few seconds"
        )
    return HttpResponse(
        found.data,
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="record.json"'},
    )


def _step(consent: Consent, entry: EntryView | None) -> Step:
    words = act_words(consent)
    said = plain_sentences(consent.to_terms(), consent.withheld, consent.discovery)
    return Step(
        consent=consent, words=words, said=said if words.allows else [], entry=entry
    )
