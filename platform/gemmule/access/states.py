"""Where a request can go, and on whose word: one table."""

from gemmule.access.errors import RequestStateError
from gemmule.access.models import AccessRequest, RequestState

# state -> act -> next state. The acts are the services of the same names.
TRANSITIONS: dict[str, dict[str, str]] = {
    RequestState.DRAFT: {
        "update": RequestState.DRAFT,
        "submit": RequestState.SUBMITTED,
        "close": RequestState.CLOSED,
    },
    RequestState.RETURNED: {
        "update": RequestState.RETURNED,
        "submit": RequestState.SUBMITTED,
        "close": RequestState.CLOSED,
    },
    RequestState.SUBMITTED: {
        "verify_ethics": RequestState.SUBMITTED,
        "return": RequestState.RETURNED,
        "approve": RequestState.APPROVED,
        "propose": RequestState.COUNTERSIGNING,
        "deny": RequestState.DENIED,
        "close": RequestState.CLOSED,
    },
    RequestState.COUNTERSIGNING: {
        "return": RequestState.RETURNED,
        "countersign": RequestState.APPROVED,
        "deny": RequestState.DENIED,
        "close": RequestState.CLOSED,
    },
    RequestState.APPROVED: {
        "expire": RequestState.EXPIRED,
        "close": RequestState.CLOSED,
    },
    RequestState.DENIED: {},
    RequestState.EXPIRED: {},
    RequestState.CLOSED: {},
}


def next_state(request: AccessRequest, act: str) -> RequestState:
    """Return the state after `act`, or refuse it with what would be possible."""
    allowed = TRANSITIONS[request.state]
    if act not in allowed:
        possible = ", ".join(sorted(allowed)) or "nothing more"
        raise RequestStateError(
            f"request {request.accession} is {request.get_state_display().lower()}: "
            f"cannot {act.replace('_', ' ')} it; possible now: {possible}"
        )
    return RequestState(allowed[act])


def allows(request: AccessRequest, act: str) -> bool:
    """Return whether `act` is possible in the request's present state."""
    return act in TRANSITIONS[request.state]
