"""Rely on decisions of donors as the ledger holds them, not as their rows say.

`open_rows` decrypts the bodies of standing decisions, checks them against what their
entries commit to, and compares them with the rows that were read. `compare_rows` has
the database compare the rows with these bodies once more, under the donors' locks.
A digest in the row would prove nothing: whoever edits the row can edit its digest.

Only `ledger.inspection` finds entries that were deleted from the ledger's own tables.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, prefetch_related_objects

import ledger.opened
from consent import events, reconciliation
from consent.errors import DecisionMoved, RowsAltered
from consent.models import Consent, Donor

_AT_ONCE = 5_000

# A field of the body -> its type in PostgreSQL, and the column of the row.
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "event": ("uuid", "decision.event"),
    "number": ("integer", "decision.number"),
    "act": ("text", "decision.act"),
    "terms": ("jsonb", "decision.terms"),
    "withheld": ("jsonb", "decision.withheld"),
    "discovery": ("boolean", "decision.discovery"),
    "form": ("text", "form.sha256"),
    "language": ("text", "decision.language"),
    "channel": ("text", "decision.channel"),
    "valid_until": ("date", "decision.valid_until"),
    "mondo": ("text", "decision.mondo_version"),
    "donor": ("uuid", "decision.donor_id"),
    "subject": ("uuid", "donor.subject"),
}
_OPENED = ", ".join(f"{name} {type_}" for name, (type_, _) in _COLUMNS.items())
_DIFFERENCES = ", ".join(
    f"CASE WHEN {column} IS DISTINCT FROM opened.{name} THEN '{name}' END"
    for name, (_, column) in _COLUMNS.items()
)
_DIFFERING = (
    f"SELECT event, fields FROM (SELECT opened.event, array_remove(ARRAY["  # noqa: S608 - names of our own
    f"{_DIFFERENCES}], NULL) AS fields "
    f"FROM jsonb_to_recordset(%s::jsonb) AS opened (consent uuid, {_OPENED}) "
    "JOIN consent_consent decision ON decision.id = opened.consent "
    "JOIN consent_donor donor ON donor.id = decision.donor_id "
    "LEFT JOIN consent_formversion form ON form.id = decision.form_id) AS compared "
    "WHERE cardinality(fields) > 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a donor decided, as the ledger opened it; `body` is that of the entry."""

    donor_id: UUID
    subject: UUID
    event: UUID
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return every signed field by the name it has in `_COLUMNS`."""
        values = {name: self.body.get(name) for name in ("consent", *_COLUMNS)}
        identity = {
            "donor": self.donor_id,
            "subject": self.subject,
            "event": self.event,
        }
        return values | {name: str(value) for name, value in identity.items()}


def open_rows(rows: Sequence[tuple[Consent, UUID]]) -> list[Decision]:
    """Return what the ledger holds of standing decisions, each with its subject.

    Raises RowsAltered where a row that was read is not what its donor decided last,
    DecisionMoved where a donor acted, or is being erased, since it was read.

    Five queries for each 500 rows, one of them of the vault, two for each 5,000, and
    one for the forms.
    """
    consents = [consent for consent, _ in rows]
    prefetch_related_objects(consents, "form")
    by_event = ledger.opened.by_event(consent.event for consent in consents)
    decisions: list[Decision] = []
    altered: dict[UUID, list[str]] = {}
    unopened: list[Consent] = []
    for consent, subject in rows:
        entry = by_event.get(consent.event)
        if entry is not None and entry.body is None:
            unopened.append(consent)
        elif entry is None or entry.body is None:
            altered[consent.event] = ["event"]
        elif fields := _differing(consent, subject, entry, entry.body):
            altered[consent.event] = fields
        else:
            decisions.append(
                Decision(
                    donor_id=consent.donor_id,
                    subject=subject,
                    event=consent.event,
                    body=entry.body,
                )
            )
    for event in _not_last(consents):
        altered.setdefault(event, []).append("is_current")
    if unopened:
        _check_erased(unopened)
    if altered:
        raise RowsAltered(altered)
    return decisions


def compare_rows(decisions: Sequence[Decision]) -> None:
    """Have the database compare the rows with what was opened; see `open_rows`.

    Call it under the donors' locks: then a row that differs was edited outside the
    services. Raises RowsAltered. Not reported is what may have happened before the
    locks: a decision that was followed by another, or deleted with its donor.

    Two queries for each 5,000 decisions.
    """
    altered: dict[UUID, list[str]] = {}
    for start in range(0, len(decisions), _AT_ONCE):
        some = decisions[start : start + _AT_ONCE]
        differing = (
            _differing_rows if connection.vendor == "postgresql" else _differing_read
        )
        altered.update(differing(some))
        for event in _still_current(
            ledger.opened.followed(each.event for each in some)
        ):
            altered.setdefault(event, []).append("is_current")
    if altered:
        raise RowsAltered(altered)


def _differing(
    consent: Consent,
    subject: UUID,
    entry: ledger.opened.Opened,
    body: Mapping[str, Any],
) -> list[str]:
    fields = reconciliation.differing_fields(consent, body)
    if entry.type != events.consent_type(consent.act) and "act" not in fields:
        fields.append("act")
    if entry.subject != subject:
        fields.append("subject")
    return fields


def _not_last(consents: Sequence[Consent]) -> set[UUID]:
    """Return the events of current rows that a later decision has followed."""
    by_event = [consent.event for consent in consents]
    # The ledger first: an act between the two reads is in both or in neither.
    events = _still_current(ledger.opened.followed(by_event))
    later = Consent.objects.filter(
        donor=OuterRef("donor"), number__gt=OuterRef("number")
    )
    for start in range(0, len(by_event), _AT_ONCE):
        rows = Consent.objects.filter(
            Exists(later), event__in=by_event[start : start + _AT_ONCE], is_current=True
        )
        events.update(rows.order_by().values_list("event", flat=True))
    return events


def _still_current(by_event: Iterable[UUID]) -> set[UUID]:
    wanted = list(by_event)
    events: set[UUID] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        rows = Consent.objects.filter(
            event__in=wanted[start : start + _AT_ONCE], is_current=True
        )
        events.update(rows.order_by().values_list("event", flat=True))
    return events


def _check_erased(consents: Sequence[Consent]) -> None:
    """Raise for bodies that do not open: DecisionMoved if all were being erased."""
    erased: set[UUID] = set()
    donor_ids = [consent.donor_id for consent in consents]
    for start in range(0, len(donor_ids), _AT_ONCE):
        rows = Donor.objects.filter(pk__in=donor_ids[start : start + _AT_ONCE])
        erased.update(donor_ids[start : start + _AT_ONCE])
        erased.difference_update(
            rows.filter(erased_at=None).values_list("pk", flat=True)
        )
    altered = {
        consent.event: ["event"]
        for consent in consents
        if consent.donor_id not in erased
    }
    if altered:
        raise RowsAltered(altered)
    raise DecisionMoved("a donor is being erased")


def _differing_rows(decisions: Sequence[Decision]) -> dict[UUID, list[str]]:
    with connection.cursor() as cursor:
        opened = json.dumps([each.to_json() for each in decisions])
        cursor.execute(_DIFFERING, [opened])
        return {event: list(fields) for event, fields in cursor.fetchall()}


def _differing_read(decisions: Sequence[Decision]) -> dict[UUID, list[str]]:
    """Compare rows that are read anew: nobody else writes to SQLite meanwhile."""
    rows = Consent.objects.select_related("form", "donor").in_bulk(
        [each.body["consent"] for each in decisions]
    )
    by_id = {str(pk): row for pk, row in rows.items()}
    altered: dict[UUID, list[str]] = {}
    for each in decisions:
        if (row := by_id.get(each.body["consent"])) is None:
            continue
        fields = reconciliation.differing_fields(row, each.body)
        if row.event != each.event:
            fields.append("event")
        if row.donor_id != each.donor_id:
            fields.append("donor")
        if row.donor.subject != each.subject:
            fields.append("subject")
        if fields:
            altered[each.event] = fields
    return altered
