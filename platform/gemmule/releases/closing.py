"""Close releases whose ground is gone: withdrawal, change, pause, revocation, expiry.

Each donor act and what it closes is one transaction, so that once it is
acknowledged no further chunk passes the gate. It needs only the database: with
broker, workers and mail away it works as well.
"""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

import consent.locks
import consent.selectors
import consent.services
import gemmule.notices.services
import ledger.services
from consent.models import Consent, Donor
from gemmule.access.models import RequestState
from gemmule.accounts.models import User
from gemmule.catalog.accessions import new_accession
from gemmule.releases import cohort, grounds, incidents, locks, permissions, states
from gemmule.releases.errors import RowsDiffer
from gemmule.releases.models import (
    LIVE_STATES,
    Release,
    ReleaseDonor,
    ReleaseState,
)

# Withdrawals of one day share one rebuild; the revocation itself never waits.
REBUILD_EVERY = timedelta(hours=24)
_ENDED = "The consent of a donor in it ended."
_WHY = {
    "withdrawn": "A donor in it withdrew.",
    "changed": "A donor in it changed what is allowed, and no longer allows this use.",
    "expired": "The consent of a donor in it has run out.",
}


def carry_out(
    *, donor: Donor, act: Callable[[], Consent], now: datetime
) -> tuple[Consent, list[Release]]:
    """Run a donor's act under her lock, with what it closes, in one transaction."""
    with transaction.atomic():
        consent.locks.lock_exclusive(donor.pk)
        made = act()
        if made.act in ("resumed", "changed"):
            reopen_after_pause(consent=made, now=now)
        return made, close_uncovered(consent=made, now=now)


def expire_consents(*, now: datetime) -> int:
    """Record consents whose last day has passed, and close what rests on them."""
    due = list(consent.selectors.due_for_expiry(now.date()))
    for donor in due:
        act = partial(consent.services.expire, donor=donor, now=now)
        carry_out(donor=donor, act=act, now=now)
    return len(due)


def close_uncovered(*, consent: Consent, now: datetime) -> list[Release]:
    """Close every release that holds the donor and that this consent no longer covers.

    Called inside the transaction of the donor's act, under the donor's exclusive
    lock. Returns the releases that were closed.
    """
    held = (
        Release.objects.filter(
            donors__donor_id=consent.donor_id, state__in=states.DELIVERED_STATES
        )
        .select_related("request__project", "request__dataset")
        .order_by("pk")
    )
    closed = []
    for release in held:
        locks.lock_exclusive(release.pk)
        if _covers(consent, release, now.date()):
            continue
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state not in states.DELIVERED_STATES:
            continue
        if consent.act == "paused":
            _suspend(locked)
        else:
            locked.closed_reason = _WHY.get(consent.act, _ENDED)
            _revoke(locked, "consent-ended", now)
            _tell_recipients(locked, consent, now)
            _replace(locked, now)
        closed.append(locked)
    return closed


def close_holding(*, donor: Donor, now: datetime) -> list[Release]:
    """Close every release that holds a donor who is being erased.

    Her withdrawal has closed them before; what a restored backup reopened has not.
    """
    held = Release.objects.filter(
        donors__donor=donor, state__in=states.DELIVERED_STATES
    ).order_by("pk")
    closed = []
    for release in held:
        locks.lock_exclusive(release.pk)
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state in states.DELIVERED_STATES:
            _revoke(locked, "consent-ended", now)
            closed.append(locked)
    return closed


def reopen_after_pause(*, consent: Consent, now: datetime) -> None:
    """Make suspended releases available again once none of their donors pauses.

    Neither by the rows nor by the last entries of all donors on the ledger.
    """
    held = Release.objects.filter(
        donors__donor_id=consent.donor_id, state=ReleaseState.SUSPENDED
    ).order_by("pk")
    for release in held:
        # The state and the others' consents are read under the lock: another donor
        # of the release may have withdrawn or paused since it was found.
        locks.lock_exclusive(release.pk)
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state != ReleaseState.SUSPENDED:
            continue
        still = Consent.objects.filter(
            donor__in=locked.donors.values("donor"), is_current=True, act="paused"
        )
        if still.exists() or not _covers(consent, locked, now.date()):
            continue
        try:
            grounds.check_nobody_stopped(locked)
        except RowsDiffer as error:
            # The donor's act stands; the release stays shut until somebody has looked.
            incidents.report(release=locked, error=error, now=now)
            continue
        # Paused before it was open, it still has to be opened, and announced.
        states.move(
            locked,
            ReleaseState.SEALED
            if locked.available_at is None
            else ReleaseState.AVAILABLE,
        )
        locked.save(update_fields=["state"])


def revoke(*, user: User, release: Release, reason: str, now: datetime) -> Release:
    """End a release at once, on the word of the IRB or of the project itself."""
    permissions.check_may_revoke(user, release)
    with transaction.atomic():
        locks.lock_exclusive(release.pk)
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state == ReleaseState.REVOKED:
            return locked
        locked.closed_reason = reason.strip()
        _revoke(locked, "by-hand", now)
    return locked


def expire(*, now: datetime) -> int:
    """Close every release whose last day has passed; return how many."""
    due = Release.objects.filter(
        state__in=LIVE_STATES, expires_on__lt=now.date()
    ).order_by("pk")
    for release in due:
        with transaction.atomic():
            locks.lock_exclusive(release.pk)
            locked = Release.objects.select_for_update().get(pk=release.pk)
            if locked.state in LIVE_STATES:
                states.move(locked, ReleaseState.EXPIRED)
                locked.closed_at = now
                locked.save()
    return len(due)


def _covers(consent: Consent, release: Release, on: date) -> bool:
    """Return whether the release could be made today with exactly this donor in it."""
    if release.expires_on < on:
        return False
    before = ReleaseDonor.objects.select_related("consent").get(
        release=release, donor_id=consent.donor_id
    )
    if before.consent.withheld != consent.withheld:
        return False  # It holds genotypes the donor now keeps back.
    return any(
        one.donor_id == consent.donor_id
        for one in cohort.included(release.request, on=on)
    )


def _suspend(release: Release) -> None:
    if release.state != ReleaseState.SUSPENDED:
        states.move(release, ReleaseState.SUSPENDED)
        release.save(update_fields=["state"])


def _revoke(release: Release, code: str, now: datetime) -> None:
    was_sealed = bool(release.manifest_sha256)
    states.move(release, ReleaseState.REVOKED)
    release.closed_at = now
    release.lease_until = None
    if was_sealed:
        release.event_revoked = uuid.uuid4()
    release.save()
    if release.event_revoked is not None:
        ledger.services.append(
            type="data.revoked",
            pub={"manifest_sha256": release.manifest_sha256, "reason": code},
            body={"release": release.accession},
            event=release.event_revoked,
            now=now,
        )


def _tell_recipients(release: Release, consent: Consent, now: datetime) -> None:
    name = release.donors.get(donor_id=consent.donor_id).sample_name
    until = (now + timedelta(days=30)).date()
    gemmule.notices.services.notify(
        user=release.recipient,
        kind="release.revoked",
        subject=f"Release {release.accession} was revoked: please delete it",
        body=(
            f"The donor of sample {name} no longer allows this use. Delete every copy "
            f"of release {release.accession} by {until.isoformat()} or leave the "
            "sample out of all further work. A release without it is being prepared "
            "where enough donors remain."
        ),
        url=f"/research/releases/{release.accession}/",
        now=now,
    )


def _replace(release: Release, now: datetime) -> Release | None:
    """Queue the release that takes this one's place, if enough donors remain."""
    request = release.request
    if request.state != RequestState.APPROVED or release.expires_on < now.date():
        return None
    if release.key.state != "active":
        return None
    remaining = len(cohort.included(request, on=now.date()))
    if remaining < settings.RELEASE_MIN_DONORS:
        return None
    if _live(request.pk, release.key_id):
        return None
    return Release.objects.create(
        accession=new_accession("GMR"),
        request=request,
        recipient=release.recipient,
        key=release.key,
        supersedes=release,
        start_after=_next_rebuild(release, now),
        created_at=now,
        expires_on=release.expires_on,
    )


def _next_rebuild(release: Release, now: datetime) -> datetime | None:
    last = (
        Release.objects.filter(request=release.request, supersedes__isnull=False)
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    if last is None or last + REBUILD_EVERY <= now:
        return None
    return last + REBUILD_EVERY


def _live(request_id: int, key_id: UUID) -> bool:
    return Release.objects.filter(
        request_id=request_id, key_id=key_id, state__in=LIVE_STATES
    ).exists()
