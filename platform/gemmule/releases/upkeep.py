"""Keep releases moving: onto the ledger, open, expired, or found again.

What a lost message or worker left behind is found here from the rows alone.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

import gemmule.notices.services
import ledger.selectors
import ledger.services
from gemmule.releases import states
from gemmule.releases.models import Release, ReleaseState


def settle(*, now: datetime) -> int:
    """Sequence and publish the ledger, then open what it covers; return how many."""
    ledger.services.settle(now=now)
    opened = 0
    for release in Release.objects.filter(state=ReleaseState.SEALED).order_by("pk"):
        opened += make_available(release.pk, now=now)
    return opened


def make_available(release_id: int, *, now: datetime) -> bool:
    """Open a sealed release once a signed checkpoint covers its entry."""
    with transaction.atomic():
        release = (
            Release.objects.select_for_update(of=("self",))
            .filter(pk=release_id, state=ReleaseState.SEALED)
            .first()
        )
        if release is None or not ledger.selectors.is_published(release.event):
            return False
        states.move(release, ReleaseState.AVAILABLE)
        release.available_at = now
        release.progress = {}
        release.save(update_fields=["state", "available_at", "progress"])
        _close_superseded(release)
        gemmule.notices.services.notify(
            user=release.recipient,
            kind="release.available",
            subject=f"Release {release.accession} is ready",
            body="It is sealed and on the ledger. Download it with your key at hand.",
            url=f"/research/releases/{release.accession}/",
            now=now,
        )
    return True


def left_behind(*, now: datetime) -> list[int]:
    """Return the releases whose message or worker was lost, oldest first."""
    return list(
        Release.objects.filter(
            Q(state=ReleaseState.REQUESTED, start_after=None)
            | Q(state=ReleaseState.REQUESTED, start_after__lte=now)
            | Q(state=ReleaseState.BUILDING, lease_until__lt=now)
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _close_superseded(release: Release) -> None:
    before = release.supersedes
    if before is not None and before.state == ReleaseState.REVOKED:
        states.move(before, ReleaseState.SUPERSEDED)
        before.save(update_fields=["state"])
