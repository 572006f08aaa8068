"""What a donor's ledger entry commits to, as far as it can still be opened."""

from typing import Any
from uuid import UUID

import ledger.selectors
from ledger.errors import LedgerError


def body_of(event: UUID) -> dict[str, Any] | None:
    """Return the body of an act's entry; None when it was erased or does not open.

    The donor is told of it, and is never kept from deciding anew by it.
    """
    try:
        return ledger.selectors.open_body(event)
    except LedgerError:
        return None
