"""Keep releases moving: onto the ledger, open, expired, or found again.

What a lost message or worker left behind is found here from the rows alone.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, connections, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

import gemmule.catalog.storage
import gemmule.catalog.upkeep
import gemmule.notices.services
import genomics.child
import ledger.errors
import ledger.selectors
import ledger.services
from gemmule.objects.kept import Objects
from gemmule.releases import delivery, emptiness, splitting, states, storage
from gemmule.releases.models import (
    Download,
    Erasure,
    ErasureStage,
    PartState,
    Release,
    ReleaseState,
)

logger = logging.getLogger(__name__)

# A release waits this long before its message counts as lost once more: longer queues
# than that are common, and nothing but the queue's length would grow.
RESEND_AFTER = timedelta(minutes=1)
_BATCH = 500
# With a bucket every machine has copies. An erasure waits for as long as it takes each
# to have looked through its own, by far.
TIDIED_WITHIN = timedelta(seconds=60)
_TIDY_EVERY_S = 15.0


def settle(*, now: datetime) -> int:
    """Sequence and publish the ledger, then open what it covers; return how many.

    While witnesses or the notary are away nothing more is covered, and everything else
    goes on.
    """
    ledger.services.sequence_all(now=now)
    try:
        ledger.services.publish(now=now)
    except ledger.errors.QuorumNotMet:
        pass  # The ledger has logged, once, which witness it is.
    except ledger.errors.NotaryUnreachable as error:
        logger.warning("not published yet: %s", error)
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
            body=_ready(release),
            url=f"/research/releases/{release.accession}/",
            now=now,
        )
    return True


def _ready(release: Release) -> str:
    if release.records == 0:
        reason = emptiness.words(release.empty_because)
        return (
            f"It is sealed and on the ledger, but it holds no record: {reason}. "
            "Check the regions of its request before you download it."
        )
    return "It is sealed and on the ledger. Download it with your key at hand."


def left_behind(*, now: datetime) -> list[int]:
    """Return the releases whose message or worker was lost, oldest first."""
    return list(
        Release.objects.filter(
            Q(state=ReleaseState.BUILDING, lease_until__lt=now)
            # Split, and cut: the join has been forgotten.
            | Q(state=ReleaseState.BUILDING, lease_until=None)
            & ~Exists(
                splitting.live_parts()
                .exclude(state=PartState.DONE)
                .filter(split__release=OuterRef("pk"))
            )
            | Q(state=ReleaseState.REQUESTED)
            & (Q(start_after=None) | Q(start_after__lte=now))
            & (Q(lease_until=None) | Q(lease_until__lt=now))
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def pick_up(*, send: Callable[[int], None], now: datetime) -> int:
    """Send the releases left behind again, a waiting one once a minute at most."""
    found = left_behind(now=now)
    for release_id in found:
        send(release_id)
        # A build keeps its lapsed lease: whoever takes it over needs that.
        Release.objects.filter(pk=release_id, state=ReleaseState.REQUESTED).update(
            lease_until=now + RESEND_AFTER
        )
    return len(found)


def pick_up_parts(*, send: Callable[[int], None], now: datetime) -> int:
    """Send the parts of split builds that nobody cuts, each once a minute at most."""
    found = splitting.left_behind(now=now)
    for part_id in found:
        send(part_id)
    splitting.note_sent(found, until=now + RESEND_AFTER)
    return len(found)


def close_lost_downloads(*, now: datetime) -> int:
    """Close the downloads whose web server is gone; return how many.

    What was noted last stands as what was sent. As nobody saw the last byte leave, no
    delivery is recorded on the ledger; a stream that lives after all, at its very last
    chunk, still ends its row itself.
    """
    return (
        Download.objects.filter(outcome="open")
        .annotate(last=Coalesce("seen_at", "started_at"))
        .filter(last__lt=now - delivery.STREAM_LEASE)
        .update(outcome="lost", finished_at=Coalesce("seen_at", "started_at"))
    )


def sweep_scratch(*, now: datetime) -> int:
    """Delete what child processes left in plaintext when they and we died."""
    return genomics.child.sweep(storage.scratch(), older_than=now)


def tidy(place: Objects | None = None) -> int:
    """Delete the folders of builds that came to nothing; return how many.

    Everywhere, or in one place. A build cleans up behind itself and its forerunners,
    unless it is killed first.
    """
    # Folders are listed before rows are read: a build takes its token first, so
    # that a token listed here and unknown to the row does not exist.
    kept = list(storage.folders(place))
    deleted = 0
    for start in range(0, len(kept), _BATCH):
        some = {one.release: one.tokens for one in kept[start : start + _BATCH]}
        rows = Release.objects.defer("manifest").in_bulk(some)
        for release_id, release in rows.items():
            is_needed = release.state == ReleaseState.BUILDING or (
                release.manifest_sha256 != ""
            )
            for token in some[release_id]:
                if token != release.fencing_token or not is_needed:
                    storage.discard(release, token, place)
                    deleted += 1
    return deleted + splitting.tidy(kept, place)


def tidy_here(*, now: datetime) -> None:
    """Delete what only this machine has and no row needs, genotypes above all."""
    gemmule.catalog.upkeep.tidy_here(now=now)
    gemmule.catalog.upkeep.sweep_scratch(now=now)
    sweep_scratch(now=now)
    for place in storage.here():
        tidy(place)
    for name in gemmule.catalog.storage.rewrites():
        erasure_id, _, token = name.rpartition("-")
        if not Erasure.objects.filter(
            pk=erasure_id, fencing_token=token, stage=ErasureStage.STORES
        ).exists():
            gemmule.catalog.storage.delete_rewrite(name)


def keep_tidy(*, until: threading.Event, clock: Callable[[], datetime]) -> None:
    """Tidy this machine again and again, until told to end."""
    while True:
        try:
            tidy_here(now=clock())
        except (DatabaseError, OSError):
            logger.warning("this machine was not tidied; trying again", exc_info=True)
        connections.close_all()
        if until.wait(_TIDY_EVERY_S):
            return


def _close_superseded(release: Release) -> None:
    before = release.supersedes
    if before is not None and before.state == ReleaseState.REVOKED:
        states.move(before, ReleaseState.SUPERSEDED)
        before.save(update_fields=["state"])
