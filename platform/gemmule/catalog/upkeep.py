"""Find what a lost message or worker left behind, from the rows alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

import genomics.child
from gemmule.catalog import storage
from gemmule.catalog.models import DataFile, DataFileState
from gemmule.objects.kept import Objects

# A file waits this long before its message counts as lost and is sent again. Longer
# queues than that are common, and a second message for a file does no harm.
RESEND_AFTER = timedelta(minutes=1)
_BATCH = 500


def left_behind(*, now: datetime) -> list[UUID]:
    """Return the files whose message or worker was lost, oldest first."""
    return list(
        DataFile.objects.filter(
            Q(state=DataFileState.UPLOADED, lease_until=None)
            | Q(
                state__in=(DataFileState.UPLOADED, DataFileState.CHECKING),
                lease_until__lt=now,
            )
        )
        .order_by("uploaded_at")
        .values_list("pk", flat=True)
    )


def pick_up(*, send: Callable[[UUID], None], now: datetime) -> int:
    """Send the files left behind again, each at most once a minute; return how many."""
    found = left_behind(now=now)
    for file_id in found:
        send(file_id)
        # A file in its check keeps its lapsed lease: whoever takes it needs that.
        DataFile.objects.filter(pk=file_id, state=DataFileState.UPLOADED).update(
            lease_until=now + RESEND_AFTER
        )
    return len(found)


def sweep_scratch(*, now: datetime) -> int:
    """Delete what child processes left in plaintext when they and we died."""
    return genomics.child.sweep(storage.scratch(), older_than=now)


def tidy(*, now: datetime, place: Objects | None = None) -> int:
    """Delete bytes that no row needs; return how many folders were looked at.

    A process may die between committing a row and deleting what it frees, or after
    taking bytes in and before there is a row: both are mended here, everywhere or in
    one place.
    """
    kept = list(storage.folders(place))
    for start in range(0, len(kept), _BATCH):
        some = kept[start : start + _BATCH]
        files = DataFile.objects.defer("sample_names", "contigs").in_bulk(some)
        for file_id in some:
            if file_id in files:
                storage.sweep(files[file_id], place)
            elif storage.is_abandoned(file_id, now, place):
                storage.delete(file_id, place)
    return len(kept)


def tidy_here(*, now: datetime) -> None:
    """Delete what only this machine has and no row needs: copies, unfinished work.

    What is kept in a bucket is copied to the machines that read it; by this an
    erasure that one of them carries out ends on all of them.
    """
    for place in storage.here():
        tidy(now=now, place=place)
