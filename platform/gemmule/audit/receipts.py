"""Hand out receipts and openings of ledger entries to those whose they are.

A receipt is a C2SP tlog-proof: the entry, its path to the root, and the checkpoint
that the notary signed and the witnesses cosigned. An opening is a separate file, so
that a receipt can be shown without telling what the entry says.
"""

from uuid import UUID

from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.audit import permissions
from gemmule.audit.errors import NotYetPublished
from ledger import inclusion
from ledger.errors import EntryNotFound


def receipt(*, user: User, event: UUID) -> bytes:
    """Return the receipt file of an entry.

    Raises NotFound for whoever may not hold it, NotYetPublished while no published
    checkpoint covers the entry.
    """
    permissions.check_may_hold_receipt(user, event)
    return _covered(event)


def opening(*, user: User, event: UUID) -> bytes:
    """Return the opening file of an entry.

    Raises what `receipt` raises, NotAllowed, and NotFound once the body was erased.
    """
    permissions.check_may_open(user, event)
    _covered(event)
    found = inclusion.opening(event)
    if found is None:
        raise NotFound("what this entry says was erased; its receipt still holds")
    return found.encode()


def _covered(event: UUID) -> bytes:
    try:
        return inclusion.receipt(event)
    except EntryNotFound:
        raise NotYetPublished(
            "no published checkpoint covers this entry yet; try again in a moment"
        ) from None
