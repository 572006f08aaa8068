"""Say what is wrong with a row, and which entry says so."""

from ledger.inspection import Finding
from ledger.opened import Opened


def found(entry: Opened, code: str, what: str) -> Finding:
    """Return a finding at the place of an entry."""
    return Finding(
        code=code, message=f"{entry.where}: {what}", seq=entry.seq, event=entry.event
    )
