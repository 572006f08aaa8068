"""Tell those who audit that rows were edited apart from the services.

On the ledger, and in the inbox of each member of the IRB and each auditor. The same
differences of one request are told once a day, however often a build meets them.
"""

import uuid
from datetime import datetime

from django.db import transaction

import gemmule.notices.services
import ledger.opened
import ledger.services
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.selectors import holders_of
from gemmule.releases.errors import RowsDiffer
from gemmule.releases.models import Release

REPORTED = "incident.reported"


def report(*, release: Release, error: RowsDiffer, now: datetime) -> None:
    """Record an incident and notify; the same one of the same day changes nothing.

    In a transaction of its own or the caller's: what is rolled back because of the
    differences must not take the alarm with it.
    """
    request = release.request
    # One event for the same differences, whichever build meets them.
    event = uuid.uuid5(
        uuid.NAMESPACE_OID,
        f"{REPORTED} {request.accession} {now.date().isoformat()} {error.essence}",
    )
    with transaction.atomic():
        if not ledger.opened.unknown([event], REPORTED):
            return
        for reader in holders_of(*READER_ROLES):
            gemmule.notices.services.notify(
                user=reader,
                kind=REPORTED,
                subject=f"Rows differ from the ledger: release {release.accession}",
                body=(
                    f"Release {release.accession} for request {request.accession} was "
                    f"stopped: {'; '.join(error.findings)}. Nothing of it is handed "
                    "out. Have an administrator run verify_ledger: its findings name "
                    "the entries. Then find out who edited the database."
                ),
                url="/audit/ledger/",
                now=now,
            )
        ledger.services.append(
            type=REPORTED,
            pub={"dataset": request.dataset.accession, "reason": error.code},
            body={
                "release": release.accession,
                "request": request.accession,
                "findings": list(error.findings),
            },
            event=event,
            now=now,
        )
