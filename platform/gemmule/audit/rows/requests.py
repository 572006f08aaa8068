"""Hold requests and the reviews of them against what was signed on the ledger.

A request's row may be further on than the entries that were read, never behind them.
"""

import hashlib
from collections.abc import Iterator

import ledger.opened
from gemmule.access.models import AccessRequest, RequestState, Review, ReviewDecision
from gemmule.access.selectors import request_sha256
from gemmule.audit.rows.finding import found
from ledger.inspection import Finding
from ledger.opened import Opened

_TYPES = {
    ReviewDecision.APPROVE: "access.approved",
    ReviewDecision.DENY: "access.denied",
}
# What a request is for good once the ledger says so.
_ENDS = {
    "access.denied": RequestState.DENIED,
    "access.expired": RequestState.EXPIRED,
    "access.closed": RequestState.CLOSED,
}
_DECIDED = {"access.approved", "access.denied", "access.reviewed"}


def findings() -> Iterator[Finding]:
    """Yield what the rows of requests and reviews say otherwise than the ledger."""
    for some in ledger.opened.walk("access."):
        reviews = Review.objects.select_related("request").in_bulk(
            [each.event for each in some if each.type in _DECIDED], field_name="event"
        )
        named = {str(each.body["request"]) for each in some if each.body is not None}
        requests = AccessRequest.objects.select_related("project", "dataset").in_bulk(
            named, field_name="accession"
        )
        for each in some:
            if each.type in _DECIDED:
                yield from _compare_review(each, reviews.get(each.event))
            if each.body is not None:
                yield from _compare_request(
                    each, requests.get(str(each.body["request"]))
                )
    yield from _without_entry()


def _compare_review(entry: Opened, row: Review | None) -> Iterator[Finding]:
    if row is None:
        yield found(entry, "review-row-missing", "the review was deleted")
        return
    changed = []
    digest = hashlib.sha256(bytes(row.statement)).hexdigest()
    if entry.pub.get("statement_sha256") != digest:
        changed.append("statement")
    if entry.type != _TYPES.get(ReviewDecision(row.decision), "access.reviewed"):
        changed.append("decision")
    if entry.body is not None:
        if entry.body.get("reviewer") != str(row.reviewer_id):
            changed.append("reviewer")
        if entry.body.get("request") != row.request.accession:
            changed.append("request")
    if changed:
        yield found(
            entry,
            "review-row",
            f"the row of the review differs in: {', '.join(changed)}",
        )


def _compare_request(entry: Opened, row: AccessRequest | None) -> Iterator[Finding]:
    if row is None:
        yield found(entry, "request-row-missing", "the request was deleted")
        return
    end = _ENDS.get(entry.type)
    if end is not None and row.state != end:
        yield found(
            entry,
            "request-state",
            f"{row.accession} ended here as {end.label.lower()}, its row is "
            f"{row.get_state_display().lower()}",
        )
    if entry.type == "access.approved" and (
        row.event_decided != entry.event
        or entry.pub.get("request_sha256") != request_sha256(row)
    ):
        yield found(
            entry,
            "request-row",
            f"{row.accession} is not as it was approved here",
        )


def _without_entry() -> Iterator[Finding]:
    """Find decisions of which the ledger knows nothing."""
    reviews = Review.objects.values_list("event", flat=True)
    for event in ledger.opened.unknown(reviews, *_DECIDED):
        yield Finding(
            code="review-without-entry",
            message=f"event {event}: a review was written without the ledger",
            event=event,
        )
    for state, type_ in (
        (RequestState.APPROVED, "access.approved"),
        (RequestState.DENIED, "access.denied"),
    ):
        rows = list(AccessRequest.objects.filter(state=state))
        gone = ledger.opened.unknown([row.event_decided for row in rows], type_)
        for row in rows:
            if row.event_decided is None or row.event_decided in gone:
                yield Finding(
                    code="request-without-entry",
                    message=f"{row.accession} is {state.label.lower()}, and no entry "
                    "of the ledger decides so",
                    event=row.event_decided,
                )
