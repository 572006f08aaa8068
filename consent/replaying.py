"""Make rows of decisions again from the ledger, after a database was restored.

A row is made only if its entry opens and the row follows the donor's last one: it then
says what the entry commits to, as if it had never been lost. Acts without a row are
returned for somebody to look at, because they may have ended a consent.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

import ledger.opened
import ledger.selectors
from consent import locks, selectors
from consent.models import Act, Consent, Donor, FormVersion
from ledger.inspection import Finding
from ledger.opened import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAct:
    """An act of which no row could be made; `donor_id` is None if it is unknown."""

    donor_id: UUID | None
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The rows that were made, in the order of the ledger, and the acts without one."""

    made: tuple[Consent, ...]
    lost: tuple[LostAct, ...]


def replay() -> Replayed:
    """Make the rows of entries that the table lacks; a second run changes nothing.

    Donors who signed up after the backup are not in the table and are left out, and so
    are erased bodies.
    """
    made: list[Consent] = []
    lost: list[LostAct] = []
    for some in ledger.opened.walk("consent."):
        events = [each.event for each in some]
        known = set(
            Consent.objects.filter(event__in=events).values_list("event", flat=True)
        )
        for each in some:
            if each.seq is None or each.event in known:
                continue
            if each.body is None:
                if not ledger.opened.was_erased(each.seq):
                    lost.append(_lost(None, each, "its content is lost"))
                continue
            if each.subject is None:
                lost.append(_lost(None, each, "its content names no subject"))
                continue
            donor = Donor.objects.filter(subject=each.subject).first()
            if donor is None or donor.erased_at is not None:
                continue
            consent = _make(donor, each)
            if consent is None:
                why = "its row does not follow the last row of the donor"
                lost.append(_lost(donor.pk, each, why))
            else:
                made.append(consent)
    return Replayed(made=tuple(made), lost=tuple(lost))


def _lost(donor_id: UUID | None, entry: Opened, why: str) -> LostAct:
    return LostAct(
        donor_id=donor_id,
        finding=Finding(
            code="consent-lost", message=f"{entry.where}, {entry.type}: {why}"
        ),
    )


def _make(donor: Donor, entry: Opened) -> Consent | None:
    """Return the row that the entry commits to, None where it does not fit."""
    body = entry.body
    assert body is not None, "only what opens is made again"
    when = ledger.selectors.entry(entry.event).time
    assert when is not None, "what has a place has a time"
    with transaction.atomic():
        locks.lock_exclusive(donor.pk)
        before = selectors.current(donor)
        try:
            form = body["form"] and FormVersion.objects.get(sha256=body["form"])
            until = body["valid_until"]
            consent = Consent(
                id=UUID(body["consent"]),
                donor=donor,
                number=body["number"],
                act=Act(body["act"]),
                terms=body["terms"],
                withheld=body["withheld"],
                discovery=body["discovery"],
                form=form,
                language=body["language"],
                channel=body["channel"],
                valid_until=until and date.fromisoformat(until),
                mondo_version=body["mondo"],
                event=entry.event,
                created_at=when,
            )
        except (
            KeyError,
            ValueError,
            FormVersion.DoesNotExist,
            FormVersion.MultipleObjectsReturned,
        ):
            return None
        values = consent.to_event()
        if consent.number != (before.number + 1 if before else 1) or any(
            body.get(key) != values[key] for key in values
        ):
            return None
        if before is not None:
            Consent.objects.filter(pk=before.pk).update(is_current=False)
        consent.save(force_insert=True)
    return consent
