"""Hold rows of decisions against what their ledger entries commit to.

Whoever edits a row in the database leaves the log as it was: the opened body of the
donor's entry then says something else than the row. An erased body can no longer be
opened and is left out.

`check` and `check_donor` look from the rows to the ledger. Rows deleted from the end
leave a donor's history whole in itself: `findings` looks from the ledger to the rows
as well, for all donors, and may run beside writers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import rfc8785
from django.db.models import Count, Max, Q

import ledger.opened
import ledger.selectors
from consent import events
from consent.errors import RowAltered
from consent.models import Consent, FormState, FormVersion
from ledger.errors import EntryNotFound
from ledger.inspection import Finding
from ledger.opened import Opened


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
    if changed := differing_fields(consent, body):
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


def findings() -> Iterator[Finding]:
    """Yield what the rows of all donors and forms say otherwise than the ledger.

    The rows are read after the entries, so that what is accepted meanwhile is no
    finding; and what seems to have no entry is asked for again at the end.
    """
    seen: set[UUID] = set()
    for some in ledger.opened.walk("consent."):
        rows = Consent.objects.select_related("form", "donor").in_bulk(
            [each.event for each in some], field_name="event"
        )
        for each in some:
            seen.add(each.event)
            yield from _compare(each, rows.get(each.event))
    yield from _without_entry(seen)
    yield from _broken_histories()
    yield from _forms()


def differing_fields(row: Consent, body: Mapping[str, Any]) -> list[str]:
    """Return the fields in which a row differs from the body of its entry."""
    values = row.to_event()
    return sorted(key for key in values if body.get(key) != values[key])


def _compare(entry: Opened, row: Consent | None) -> Iterator[Finding]:
    def find(code: str, what: str) -> Finding:
        return Finding(
            code=code,
            message=f"{entry.where}: {what}",
            seq=entry.seq,
            event=entry.event,
        )

    if row is None:
        # Asked again: the donor may have been erased since the entry was read.
        if entry.body is not None and ledger.selectors.open_body(entry.event):
            yield find("consent-row-missing", "the row of this decision was deleted")
        return
    if entry.type != events.consent_type(row.act):
        yield find("consent-row", f"a {entry.type} stands as {row.act} in its row")
    if entry.body is None:
        if row.donor.erased_at is None:
            yield find(
                "consent-unopened",
                "its row cannot be held against it: the body does not open, and the "
                "donor was not erased",
            )
        return
    if row.donor.subject != entry.subject:
        yield find("consent-donor", "its row was given to another donor")
    if changed := differing_fields(row, entry.body):
        yield find("consent-row", f"its row differs in: {', '.join(changed)}")


def _without_entry(seen: set[UUID]) -> Iterator[Finding]:
    rows = Consent.objects.values_list("event", flat=True)
    suspects = [event for event in rows.iterator() if event not in seen]
    for event in ledger.opened.unknown(suspects, "consent."):
        yield Finding(
            code="consent-without-entry",
            message=f"event {event}: a decision was written without the ledger",
            event=event,
        )


def _broken_histories() -> Iterator[Finding]:
    """Find donors whose decisions are not 1..k with the last one standing."""
    counted = (
        Consent.objects.order_by()
        .values("donor")
        .annotate(
            count=Count("pk"),
            last=Max("number"),
            standing=Max("number", filter=Q(is_current=True)),
        )
    )
    for donor in counted.iterator():
        if donor["count"] != donor["last"]:
            yield Finding(
                code="consent-history",
                message=f"decisions of donor {donor['donor']} are missing: "
                f"{donor['count']} of {donor['last']} are there",
            )
        if donor["standing"] != donor["last"]:
            yield Finding(
                code="consent-current",
                message=f"of donor {donor['donor']} decision {donor['standing']} "
                f"stands, not the last one, {donor['last']}",
            )


def _forms() -> Iterator[Finding]:
    """Find published forms that do not read as when they were published."""
    said = {
        each.event: each
        for some in ledger.opened.walk(events.FORM_PUBLISHED)
        for each in some
    }
    rows = {
        row.event: row
        for row in FormVersion.objects.filter(state=FormState.PUBLISHED)
        if row.event is not None
    }
    for event, row in rows.items():
        if ledger.opened.unknown([event], events.FORM_PUBLISHED):
            yield Finding(
                code="form-without-entry",
                message=f"form {row}: it was published without the ledger",
                event=event,
            )
        digest = hashlib.sha256(rfc8785.dumps(row.content)).hexdigest()
        entry = said.get(event)
        if row.sha256 != digest or (
            entry is not None and entry.pub.get("form_sha256") != digest
        ):
            yield Finding(
                code="form-row",
                message=f"form {row}: it was changed after it was published",
                event=event,
            )
    for event, entry in said.items():
        if event not in rows:
            yield Finding(
                code="form-row-missing",
                message=f"{entry.where}: the form published here was deleted",
                seq=entry.seq,
                event=event,
            )


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
