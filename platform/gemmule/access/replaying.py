"""End again, from the ledger, the requests that a restored database has open.

Ends alone are made again: an approval rests on a signed review, which no entry holds.
"""

from dataclasses import dataclass

from django.db import transaction

import ledger.opened
from gemmule.access import locks, selectors, states
from gemmule.access.models import AccessRequest, RequestState
from ledger.inspection import Finding
from ledger.opened import Opened

_ACTS = {
    "access.closed": "close",
    "access.denied": "deny",
    "access.expired": "expire",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEnd:
    """The end of a request that nobody can tell, of a dataset by its accession."""

    dataset: str
    finding: Finding


def replay() -> tuple[list[Finding], list[LostEnd]]:
    """End the requests whose end is on the ledger; return these, and what was lost."""
    done: list[Finding] = []
    lost: list[LostEnd] = []
    for some in ledger.opened.walk(*_ACTS):
        for each in some:
            if each.seq is None:
                continue
            request = _request(each)
            if request is None and each.body is None:
                what = f"{each.where}, {each.type}: it is unknown which request ended"
                lost.append(
                    LostEnd(
                        dataset=str(each.pub.get("dataset", "")),
                        finding=Finding(code="request-lost", message=what),
                    )
                )
            elif request is not None and _end(request, each):
                what = f"{each.where}: request {request.accession} has ended"
                done.append(Finding(code="replayed", message=what))
    return done, lost


def _request(entry: Opened) -> AccessRequest | None:
    """Return whose end it is: by the body, else by the digest in public."""
    rows = AccessRequest.objects.filter(dataset__accession=entry.pub.get("dataset", ""))
    if entry.body is not None:
        return rows.filter(accession=entry.body["request"]).first()
    digest = entry.pub["request_sha256"]
    fitting = [row for row in rows if selectors.request_sha256(row) == digest]
    return fitting[0] if len(fitting) == 1 else None


def _end(request: AccessRequest, entry: Opened) -> bool:
    """End the request if it is open; a draft of before its submission stays one."""
    act = _ACTS[entry.type]
    with transaction.atomic():
        locked = locks.locked(request)
        if not states.allows(locked, act):
            return False
        locked.state = states.next_state(locked, act)
        if locked.state == RequestState.DENIED:
            locked.event_decided = entry.event
        locked.save(update_fields=["state", "event_decided"])
    return True
