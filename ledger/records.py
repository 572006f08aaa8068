r"""Gather all entries of one subject into a file that its owner can check alone.

A donor record is one JSON object (RFC 8785): the subject's acts in their own order,
each with its receipt and, while the body is kept, its opening. The bodies count
themselves (`subject_seq`) and name the one before (`subject_prev`), so whoever holds
the file sees whether one between is missing; checking it is left to the verifier.

    {"acts":[{"opening":{...},"receipt":"c2sp.org/tlog-proof@v1\n..."}],
     "kind":"gemmule/donor-record","made_at":"2026-11-22T15:43:34.123Z",
     "origin":"gemmule.example/ledger","v":1}
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from ledger import errors, inclusion
from ledger.models import Body
from ledger.tlog import canonical, entry

KIND = "gemmule/donor-record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The file, and how many of the subject's acts are in it."""

    data: bytes
    acts: int
    # Accepted, but not under a published checkpoint yet.
    waiting: int


def events_of(subject: UUID) -> list[UUID]:
    """Return the subject's events in the order in which they came. One query."""
    rows = Body.objects.filter(key_id=subject, subject_seq__isnull=False)
    return list(rows.order_by("subject_seq").values_list("event", flat=True))


def of_subject(subject: UUID, *, now: datetime) -> Record:
    """Return the record of a subject, without the acts that wait for a checkpoint."""
    events = events_of(subject)
    acts = []
    for event in events:
        try:
            receipt = inclusion.receipt(event)
        except errors.EntryNotFound:
            break  # What came after it is not covered either.
        opening = inclusion.opening(event)
        acts.append(
            {
                "receipt": receipt.decode(),
                "opening": None if opening is None else json.loads(opening.encode()),
            }
        )
    made_at = entry.to_milliseconds(now)
    data = canonical.write(
        {
            "v": 1,
            "kind": KIND,
            "origin": settings.LEDGER_ORIGIN,
            "made_at": f"{made_at.isoformat(timespec='milliseconds')[:-6]}Z",
            "acts": acts,
        }
    )
    return Record(data=data, acts=len(acts), waiting=len(events) - len(acts))
