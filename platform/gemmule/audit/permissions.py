"""Whose an entry of the ledger is: who may hold its receipt, and who its opening.

A receipt shows that an entry stands on the ledger; an opening shows what it says.
Everybody else is answered as if there were no such entry.
"""

from uuid import UUID

from django.db.models import Q

import ledger.records
import ledger.selectors
from gemmule.access.models import AccessRequest, Review
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import has_role
from gemmule.accounts.selectors import donor_of
from gemmule.releases.models import Download, Release
from ledger.errors import EntryNotFound

# What auditors may open: what became of data. A donor's act is hers alone to open.
_OPEN_TO_READERS = ("access.", "data.")


def check_may_hold_receipt(user: User, event: UUID) -> None:
    """Let IRB and auditors have any receipt, donors and projects those of their own."""
    if has_role(user, *READER_ROLES) and _type(event) is not None:
        return
    if _is_own_act(user, event) or _is_of_own_project(user, event):
        return
    raise _no_such_entry(event)


def check_may_open(user: User, event: UUID) -> None:
    """Let donors open their own acts, projects their own, readers what became of data.

    A decision's body names its reviewer, so a project may not open it.
    """
    if _is_own_act(user, event) or _is_made_by_own_project(user, event):
        return
    type_ = _type(event) if has_role(user, *READER_ROLES) else None
    if type_ is None:
        raise _no_such_entry(event)
    if not type_.startswith(_OPEN_TO_READERS):
        raise NotAllowed("what this entry says is for the person it concerns to open")


def _is_own_act(user: User, event: UUID) -> bool:
    donor = donor_of(user) if has_role(user, Role.DONOR) else None
    return donor is not None and event in ledger.records.events_of(donor.subject)


def _is_of_own_project(user: User, event: UUID) -> bool:
    """Tell whether the event is of a request or release of a project of the user's."""
    if _is_made_by_own_project(user, event):
        return True
    return (
        has_role(user, Role.RESEARCHER)
        and Review.objects.filter(
            event=event, request__project__memberships__user=user
        ).exists()
    )


def _is_made_by_own_project(user: User, event: UUID) -> bool:
    return has_role(user, Role.RESEARCHER) and (
        AccessRequest.objects.filter(
            event_submitted=event, project__memberships__user=user
        ).exists()
        or Release.objects.filter(
            Q(event=event) | Q(event_revoked=event),
            request__project__memberships__user=user,
        ).exists()
        or Download.objects.filter(
            event=event, file__release__request__project__memberships__user=user
        ).exists()
    )


def _type(event: UUID) -> str | None:
    try:
        return ledger.selectors.entry(event).type
    except EntryNotFound:
        return None


def _no_such_entry(event: UUID) -> NotFound:
    return NotFound(f"there is no entry {event} for you")
