"""Keep the gates of build, seal and chunk shut while releases are held.

Two things are asked. The rows of `Hold` are a part of the question that the gate asks
anyway. And, as a restored database has lost those rows, what this process knows of
signed checkpoints is compared with the ledger's rows (`ledger.rollback`).
"""

from datetime import datetime

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

import ledger.rollback
from gemmule.releases import holds
from gemmule.releases.errors import ReleasesHeld
from gemmule.releases.hold import Hold, HoldCode
from gemmule.releases.models import Release
from ledger.inspection import Finding
from ledger.rollback import Contradiction


def check_not_held(release: Release) -> None:
    """Raise ReleasesHeld while releases of its dataset, or all, are held.

    One query, and two more once a second.
    """
    reason = why_held(release.request.dataset_id)
    if reason:
        raise ReleasesHeld(
            f"release {release.accession} is held: {reason} Nothing of it is lost; try "
            "again later, or ask the administrators of this site",
            code="releases-held",
            title="Releases are held",
            release=release.accession,
        )


def why_held(dataset_id: int) -> str:
    """Return why releases of a dataset are held; "" if they are not."""
    hold = _of(dataset_id).only("reason").first()
    return why_all_held() if hold is None else hold.reason


def why_all_held() -> str:
    """Return that the rows are behind the ledger, if they are; rows of holds apart."""
    return holds.REASONS[HoldCode.LEDGER] if ledger.rollback.proofs() else ""


def reason_of(dataset_id: OuterRef) -> Subquery:
    """Return the reason of a hold on the dataset of another query, None without one."""
    return Subquery(_of(dataset_id).values("reason")[:1])


def refresh(*, now: datetime, ask_everybody: bool = False) -> tuple[Contradiction, ...]:
    """Compare rows with what is signed, and place a hold if they went back.

    Returns what was found. Within a transaction, which may be taken back, none is
    placed: what this process knows keeps its gates shut.
    """
    rollback = ledger.rollback
    contradictions = rollback.examine() if ask_everybody else rollback.check()
    proofs = [
        Finding(code=each.code, message=each.message)
        for each in contradictions
        if each.is_proof
    ]
    if proofs and not connection.in_atomic_block:
        holds.place(code=HoldCode.LEDGER, findings=proofs, now=now)
    return contradictions


def _of(dataset_id: int | OuterRef) -> QuerySet[Hold]:
    return Hold.objects.filter(
        Q(dataset=None) | Q(dataset_id=dataset_id), lifted_at=None
    ).order_by("pk")


# `why_held` as a part of another statement, for PostgreSQL; {floor} is a number.
QUESTION = (
    ledger.rollback.ROWS_REACH  # noqa: S608 - two constants
    + """
AND NOT EXISTS (
    SELECT 1 FROM releases_hold hold WHERE hold.lifted_at IS NULL
    AND (hold.dataset_id IS NULL OR hold.dataset_id = request.dataset_id)
)"""
)
