"""Projects and requests, from the idea to the IRB's hands and back.

The IRB's own acts are in `gemmule.access.reviews`.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

import gemmule.catalog.regions
import gemmule.notices.services
import ledger.services
from gemmule.access import locks, permissions, purposes, selectors, states
from gemmule.access.coverage import coverage
from gemmule.access.errors import RequestInvalid, RequestStateError
from gemmule.access.models import AccessRequest, Project, ProjectMember, RequestState
from gemmule.accounts.models import ResearcherKey, Role, User
from gemmule.accounts.permissions import check_role
from gemmule.accounts.selectors import irb_members
from gemmule.catalog.accessions import new_accession
from gemmule.catalog.errors import RegionsInvalid
from gemmule.catalog.models import Dataset, DatasetState


def create_project(
    *, user: User, title: str, lay_summary: str, now: datetime
) -> Project:
    """Make a project led by the user, at the user's institution."""
    check_role(user, Role.RESEARCHER)
    if user.institution is None:
        raise RequestInvalid(
            "your account names no institution; ask an administrator to set it",
            field="title",
        )
    for field, text in (("title", title), ("lay_summary", lay_summary)):
        if not text.strip():
            raise RequestInvalid(
                f"a project needs a {field.replace('_', ' ')}", field=field
            )
    with transaction.atomic():
        project = Project.objects.create(
            accession=new_accession("GMP"),
            title=title.strip(),
            lay_summary=lay_summary.strip(),
            institution=user.institution,
            lead=user,
            created_at=now,
        )
        ProjectMember.objects.create(project=project, user=user, added_at=now)
    return project


def add_member(
    *, user: User, project: Project, member: User, now: datetime
) -> ProjectMember:
    """Let the lead take another researcher into the project; twice is once."""
    permissions.check_leads(user, project)
    check_role(member, Role.RESEARCHER)
    place, _ = ProjectMember.objects.get_or_create(
        project=project, user=member, defaults={"added_at": now}
    )
    return place


def draft_request(
    *, user: User, project: Project, dataset: Dataset, now: datetime
) -> AccessRequest:
    """Start a request of the project for a published dataset."""
    permissions.check_is_member(user, project)
    if dataset.state != DatasetState.PUBLISHED:
        raise RequestInvalid(
            f"dataset {dataset.accession} is not published", field="dataset"
        )
    return AccessRequest.objects.create(
        accession=new_accession("GMQ"),
        project=project,
        dataset=dataset,
        created_by=user,
        created_at=now,
    )


def update_draft(
    *,
    user: User,
    request: AccessRequest,
    purpose: Mapping[str, Any] | None = None,
    regions_text: str | None = None,
    justification: str | None = None,
) -> AccessRequest:
    """Change what is given, leave the rest; regions as they are typed."""
    permissions.check_is_member(user, request.project)
    with transaction.atomic():
        locked = locks.locked(request)
        states.next_state(locked, "update")
        if purpose is not None:
            locked.purpose = purposes.stated_purpose(purpose)
        if regions_text is not None:
            locked.regions_text = regions_text.strip()
            locked.regions = _parse_regions(locked.regions_text, locked.dataset.build)
        if justification is not None:
            locked.justification = justification.strip()
        locked.save(
            update_fields=["purpose", "regions_text", "regions", "justification"]
        )
    return locked


def submit(*, user: User, request: AccessRequest, now: datetime) -> AccessRequest:
    """Hand a complete request to the IRB, with the machine's verdict of today."""
    permissions.check_is_member(user, request.project)
    with transaction.atomic():
        locked = locks.locked(request)
        state = states.next_state(locked, "submit")
        purposes.check_complete(locked.purpose)
        _check_countries(locked)
        if not locked.justification:
            raise RequestInvalid(
                "say in a few sentences why these data are needed",
                field="justification",
            )
        locked.state = state
        locked.submitted_by = user
        locked.submitted_at = now
        locked.event_submitted = uuid.uuid4()
        locked.verdict = coverage(locked, now.date()).to_json()
        locked.save()
        for member in irb_members():
            gemmule.notices.services.notify(
                user=member,
                kind="request.submitted",
                subject=f"Request {locked.accession} waits for review",
                body=f"{locked.project.title} asks for {locked.dataset.accession}.",
                url=f"/irb/requests/{locked.accession}/",
                now=now,
            )
        ledger.services.append(
            type="access.submitted",
            pub={
                "dataset": locked.dataset.accession,
                "request_sha256": selectors.request_sha256(locked),
                "duo": purposes.duo_codes(locked),
            },
            body={
                "request": locked.accession,
                "project": locked.project.accession,
                "submitted_by": str(user.pk),
            },
            event=locked.event_submitted,
            now=now,
        )
    return locked


def close(*, user: User, request: AccessRequest, now: datetime) -> AccessRequest:
    """Take a request back or end it; its releases are ended by `releases`."""
    permissions.check_is_member(user, request.project)
    with transaction.atomic():
        locked = locks.locked(request)
        was_submitted = locked.submitted_at is not None
        locked.state = states.next_state(locked, "close")
        if not was_submitted:
            # A draft nobody else saw leaves no trace worth keeping.
            locked.submitted_by = user
        locked.save(update_fields=["state", "submitted_by"])
        if was_submitted:
            ledger.services.append(
                type="access.closed",
                pub={
                    "dataset": locked.dataset.accession,
                    "request_sha256": selectors.request_sha256(locked),
                },
                body={"request": locked.accession, "closed_by": str(user.pk)},
                event=uuid.uuid4(),
                now=now,
            )
    return locked


def expire(*, now: datetime) -> int:
    """End the approvals whose last day has passed; return how many."""
    due = AccessRequest.objects.filter(
        state=RequestState.APPROVED, expires_on__lt=now.date()
    )
    for request in due:
        with transaction.atomic():
            locked = locks.locked(request)
            if not states.allows(locked, "expire"):
                continue
            locked.state = states.next_state(locked, "expire")
            locked.save(update_fields=["state"])
            ledger.services.append(
                type="access.expired",
                pub={
                    "dataset": locked.dataset.accession,
                    "request_sha256": selectors.request_sha256(locked),
                },
                body={"request": locked.accession},
                # Two tasks that find the same request record its end once.
                event=uuid.uuid5(locked.event_decided or uuid.NAMESPACE_OID, "expired"),
                now=now,
            )
    return len(due)


def check_open(request: AccessRequest, *, now: datetime) -> None:
    """Raise unless the request is approved and its approval has not ended."""
    if request.state != RequestState.APPROVED:
        raise RequestStateError(
            f"request {request.accession} is not approved: "
            f"it is {request.get_state_display().lower()}"
        )
    if request.expires_on is not None and request.expires_on < now.date():
        raise RequestStateError(
            f"the approval of request {request.accession} ended on "
            f"{request.expires_on.isoformat()}; ask the IRB for a new one"
        )


def check_key(user: User, key: ResearcherKey) -> None:
    """Refuse a key that is not the user's own, proved and in use."""
    if key.user_id != user.pk or key.state != "active":
        raise RequestInvalid(
            "register a Crypt4GH public key first and prove that you hold its secret",
            field="key",
        )


def _parse_regions(text: str, build: str) -> list[list[Any]] | None:
    if not text:
        return None
    try:
        found = gemmule.catalog.regions.parse(text, build)
    except RegionsInvalid as error:
        raise RequestInvalid(
            str(error), field="regions_text", problems=error.problems
        ) from error
    return [[region.contig, region.start_0, region.end] for region in found]


def _check_countries(request: AccessRequest) -> None:
    barred = set(request.dataset.barred_countries)
    named = sorted(barred & set(request.purpose.get("countries", [])))
    if named:
        raise RequestInvalid(
            f"dataset {request.dataset.accession} may not be used in {named[0]}",
            field="countries",
        )
