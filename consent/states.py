"""Which act a donor's consent allows in which state.

Withdrawing is open from every state in which something was allowed; giving again
after it is a new consent. Changing while paused ends the pause: a donor who paused
can narrow what she allows without allowing the old terms for a moment.
"""

from collections.abc import Mapping

from consent.errors import ConsentNotFound, StateRefused
from consent.models import Act

# None: the donor has decided nothing yet.
ALLOWED_FROM: Mapping[Act, frozenset[str | None]] = {
    Act.GIVEN: frozenset({None, "withdrawn", "refused", "expired"}),
    Act.CHANGED: frozenset({"active", "paused"}),
    Act.PAUSED: frozenset({"active"}),
    Act.RESUMED: frozenset({"paused"}),
    Act.REFUSED: frozenset({None, "expired"}),
    Act.WITHDRAWN: frozenset({"active", "paused", "expired"}),
    Act.EXPIRED: frozenset({"expired"}),
}
# What a donor can do instead, for messages.
_INSTEAD: Mapping[tuple[Act, str], str] = {
    (Act.GIVEN, "active"): "change the consent that stands",
    (Act.GIVEN, "paused"): "resume it or change it",
    (Act.CHANGED, "withdrawn"): "give a new consent",
    (Act.CHANGED, "refused"): "give a new consent",
    (Act.CHANGED, "expired"): "give a new consent",
    (Act.RESUMED, "withdrawn"): "give a new consent",
    (Act.RESUMED, "expired"): "give a new consent",
    (Act.REFUSED, "active"): "withdraw it",
    (Act.REFUSED, "paused"): "withdraw it",
}


def check(act: Act, state: str | None) -> None:
    """Raise ConsentNotFound or StateRefused unless `act` may follow `state`."""
    if state in ALLOWED_FROM[act]:
        return
    if state is None:
        raise ConsentNotFound(
            f"a consent can be {act.value} only after it was given; "
            "this donor has decided nothing yet"
        )
    instead = _INSTEAD.get((act, state))
    raise StateRefused(
        f"a consent that is {state} cannot be {act.value}"
        + (f": {instead}" if instead else "")
    )


def is_allowed(act: Act, state: str | None) -> bool:
    """Tell whether `act` may follow `state`, for what a page offers."""
    return state in ALLOWED_FROM[act]
