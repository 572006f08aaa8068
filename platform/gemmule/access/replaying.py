"""End again, from the ledger, the requests that are open in a restored database.

Only ends are replayed: an approval needs a signed review, which no entry holds.
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
    """The end of an unknown request of a dataset, which its accession names."""

    dataset: str
    finding: Finding


def replay() -> tuple[list[Finding], list[LostEnd]]:
    """End the requests that ended on the ledger; return what was done and is lost."""
    done: list[Finding] = []
    lost: list[LostEnd] = []
    for entry in ledger.opened.walk_log(*_ACTS):
        request = _request(entry)
        if request is None and entry.body is None:
            message = f"{entry.where}, {entry.type}: it is unknown which request ended"
            lost.append(
                LostEnd(
                    dataset=str(entry.pub.get("dataset", "")),
                    finding=Finding(code="request-lost", message=message),
                )
            )
        elif request is not None and _end(request, entry):
            message = f"{entry.where}: request {request.accession} has ended"
            done.append(Finding(code="replayed", message=message))
    return done, lost


def _request(entry: Opened) -> AccessRequest | None:
    """Return the request that ended: by the body, else by the public digest."""
    rows = AccessRequest.objects.filter(dataset__accession=entry.pub.get("dataset", ""))
    if entry.body is not None:
        return rows.filter(accession=entry.body["request"]).first()
    digest = entry.pub["request_sha256"]
    fitting = [row for row in rows if selectors.request_sha256(row) == digest]
    return fitting[0] if len(fitting) == 1 else None


def _end(request: AccessRequest, entry: Opened) -> bool:
    """End the request if it is open; a request that is a draft again stays a draft."""
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
