"""Read projects and requests: what each person may list, and what a signer reads."""

import hashlib
from datetime import timedelta
from typing import Any

import rfc8785
from django.db.models import Q, QuerySet

from gemmule.access.models import AccessRequest, Project, RequestState
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import has_role

# The IRB promises an answer within this time; the queue shows what is older.
ANSWER_WITHIN = timedelta(days=10)


def projects_of(user: User) -> QuerySet[Project]:
    """Return the projects the user is in, newest first."""
    return Project.objects.filter(memberships__user=user).select_related("institution")


def requests_for(user: User) -> QuerySet[AccessRequest]:
    """Return the requests the user may read, newest first.

    Whoever reads for the IRB and is in a project too has both: what was submitted,
    and the drafts of her own.
    """
    found = AccessRequest.objects.select_related("project__institution", "dataset")
    own = Q(project__in=Project.objects.filter(memberships__user=user))
    if not has_role(user, *READER_ROLES):
        return found.filter(own)
    submitted = Q(submitted_at__isnull=False)
    return found.filter(
        submitted | own if has_role(user, Role.RESEARCHER) else submitted
    )


def queue() -> QuerySet[AccessRequest]:
    """Return what waits for the IRB, oldest first."""
    return (
        AccessRequest.objects.filter(
            state__in=[RequestState.SUBMITTED, RequestState.COUNTERSIGNING]
        )
        .select_related("project__institution", "project__lead", "dataset")
        .order_by("submitted_at")
    )


def asked(request: AccessRequest) -> dict[str, Any]:
    """Return what is asked, as the digest is over it."""
    return {
        "request": request.accession,
        "project": request.project.accession,
        "dataset": request.dataset.accession,
        "purpose": request.purpose,
        "justification": request.justification,
        "regions": request.regions,
    }


def request_sha256(request: AccessRequest) -> str:
    """Return the digest (hex) of what is asked, for ledger entries and statements."""
    return hashlib.sha256(rfc8785.dumps(asked(request))).hexdigest()
