"""Hold what a release rests on against the ledger: consents, approval, sample map.

`open_grounds` opens what the ledger holds and compares the rows with it, before a build
cuts anything. `compare` compares them again under the locks of the seal. A row that
differs was edited apart from the services: nothing is released, and `incidents` tells
those who audit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import consent.standing
import gemmule.access.approvals
import gemmule.catalog.statements
import ledger.opened
from consent.errors import DecisionMoved, RowsAltered
from consent.events import STATE_OF_ACT, consent_type
from consent.standing import Decision
from gemmule.access.approvals import Approval
from gemmule.access.errors import ApprovalAltered, RequestStateError
from gemmule.access.models import AccessRequest
from gemmule.catalog.errors import RegistrationAltered
from gemmule.catalog.models import Dataset
from gemmule.releases.cohort import Included
from gemmule.releases.errors import BuildImpossible, ConsentMoved, RowsDiffer
from gemmule.releases.models import Release

logger = logging.getLogger(__name__)

_ACTIVE = {
    consent_type(act) for act, state in STATE_OF_ACT.items() if state == "active"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a release rests on, as the ledger opened it."""

    decisions: Sequence[Decision]
    approval: Approval


def open_grounds(request: AccessRequest, members: Sequence[Included]) -> Grounds:
    """Return what the ledger holds of an approval and of the members' consents.

    Raises RowsDiffer, ConsentMoved where a donor acted meanwhile, BuildImpossible where
    the request has ended. Queries as `consent.standing.open_rows` and
    `access.approvals.open_approval` have them.
    """
    try:
        return Grounds(
            approval=gemmule.access.approvals.open_approval(request),
            decisions=consent.standing.open_rows(
                [(member.consent, member.subject) for member in members]
            ),
        )
    except RequestStateError as error:
        raise BuildImpossible(str(error), code="request-closed") from error
    except DecisionMoved as error:
        raise ConsentMoved(str(error)) from error
    except (ApprovalAltered, RowsAltered) as error:
        raise differing(error) from error


def compare(grounds: Grounds, request: AccessRequest) -> None:
    """Compare the rows again, under the locks of the donors; raises RowsDiffer.

    `request` is the row as it was read under the locks.
    """
    try:
        gemmule.access.approvals.compare_rows(grounds.approval, request)
        consent.standing.compare_rows(grounds.decisions)
    except (ApprovalAltered, RowsAltered) as error:
        raise differing(error) from error


def check_dataset(dataset: Dataset) -> None:
    """Raise RowsDiffer unless build and sample map are those that were registered."""
    try:
        gemmule.catalog.statements.check_registration(dataset)
    except RegistrationAltered as error:
        raise differing(error) from error


def check_nobody_stopped(release: Release) -> None:
    """Raise RowsDiffer where, to the ledger, a donor of a release pauses or has ended.

    For a release that is to open again after a pause, whose rows say that none does.
    Three queries for each 500 donors; nothing is decrypted.
    """
    subjects = release.donors.filter(donor__erased_at=None).values_list(
        "donor__subject", flat=True
    )
    last = ledger.opened.last_types(subjects)
    stopped = {subject for subject, type_ in last.items() if type_ not in _ACTIVE}
    if stopped:
        raise RowsDiffer(
            [
                f"{len(stopped)} of its donors stopped its use on the ledger, but "
                "their rows do not say so"
            ],
            essence=f"stopped {sorted(map(str, stopped))}",
        )


def differing(
    error: ApprovalAltered | RegistrationAltered | RowsAltered,
) -> RowsDiffer:
    """Return the refusal of a build over rows that were edited."""
    if not isinstance(error, RowsAltered):
        return RowsDiffer([str(error)], essence=str(error))
    # For whoever may look into the rows. An event leads nowhere after an erasure.
    for event, names in error.fields.items():
        logger.error("event %s differs from its row in: %s", event, ", ".join(names))
    essence = sorted((str(event), *names) for event, names in error.fields.items())
    return RowsDiffer([str(error)], essence=repr(essence))
