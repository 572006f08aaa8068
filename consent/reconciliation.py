"""Hold rows of decisions against what their ledger entries commit to.

Whoever edits a row in the database leaves the log as it was: the opened body of the
donor's entry then says something else than the row. An erased body can no longer be
opened and is left out. Rows deleted from the end leave a donor's history whole in
itself: those show when the ledger is asked for entries that no row stands for.
"""

from collections.abc import Iterable
from uuid import UUID

import ledger.selectors
from consent.errors import RowAltered
from consent.models import Consent
from ledger.errors import EntryNotFound


def check(consent: Consent) -> bool:
    """Raise RowAltered unless the row is what the ledger says; False: was erased.

    Raises the ledger's own errors where a body does not open.
    """
    try:
        body = ledger.selectors.open_body(consent.event)
    except EntryNotFound as error:
        raise RowAltered(f"consent {consent.pk} has no entry on the ledger") from error
    if body is None:
        return False
    said = consent.to_event()
    if changed := sorted(key for key in said if body.get(key) != said[key]):
        raise RowAltered(
            f"consent {consent.pk} differs from its ledger entry in: "
            f"{', '.join(changed)}"
        )
    return True


def check_donor(donor_id: UUID) -> int:
    """Check all of a donor's rows, and that the last of them stands; return how many.

    Raises RowAltered for a changed row, a missing one, and a wrong current one.
    """
    rows = list(
        Consent.objects.select_related("form").filter(donor=donor_id).order_by("number")
    )
    _check_numbers(donor_id, rows)
    for row in rows:
        check(row)
    return len(rows)


def _check_numbers(donor_id: UUID, rows: Iterable[Consent]) -> None:
    rows = list(rows)
    numbers = [row.number for row in rows]
    if numbers != list(range(1, len(rows) + 1)):
        raise RowAltered(f"decisions of donor {donor_id} are missing: {numbers}")
    standing = [row.number for row in rows if row.is_current]
    if standing != numbers[-1:]:
        raise RowAltered(
            f"of {len(rows)} decisions of donor {donor_id} the last must stand, "
            f"not {standing}"
        )
