"""Find what a lost message or worker left behind, from the rows alone."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

import genomics.child
from gemmule.catalog import storage
from gemmule.catalog.models import DataFile, DataFileState


def left_behind(*, now: datetime) -> list[UUID]:
    """Return the files whose message or worker was lost, oldest first."""
    return list(
        DataFile.objects.filter(
            Q(state=DataFileState.UPLOADED)
            | Q(state=DataFileState.CHECKING, lease_until__lt=now)
        )
        .order_by("uploaded_at")
        .values_list("pk", flat=True)
    )


def tidy(*, now: datetime) -> int:
    """Delete bytes that no row needs; return how many folders were looked at.

    A process may die between committing a row and deleting what it frees, or after
    taking bytes in and before there is a row: both are mended here.
    """
    genomics.child.sweep(storage.scratch(), older_than=now)
    seen = 0
    for file_id in storage.folders():
        seen += 1
        file = DataFile.objects.defer("sample_names").filter(pk=file_id).first()
        if file is not None:
            storage.sweep(file)
        elif storage.is_abandoned(file_id, now):
            storage.delete(file_id)
    return seen
