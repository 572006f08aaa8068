"""Hold the rows of every room against the ledger: who edits a row leaves a difference.

The ledger itself is replayed by `ledger.inspection`; what one release rests on is
`verification`. Reads only, takes no lock, and may run beside writers.
"""

from collections.abc import Callable, Iterator

import consent.reconciliation
from gemmule.audit.rows import releases, requests, roles
from ledger.inspection import Finding

_ROOMS: tuple[Callable[[], Iterator[Finding]], ...] = (
    consent.reconciliation.findings,
    requests.findings,
    releases.findings,
    roles.findings,
)


def findings() -> Iterator[Finding]:
    """Yield what the rows of consents, requests, releases and roles say otherwise."""
    for room in _ROOMS:
        yield from room()
