"""Cut one part of a split build in a child process.

Safe to run twice and to be killed anywhere: an attempt at a part is held by its number
and a lease, and writes to a file of its own. What the worker who comes last leaves to
be done is said by the outcome. Never imports services; tasks call it with an id.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

import gemmule.catalog.erasure
import genomics.child
from gemmule.catalog import leases
from gemmule.objects.kept import StorageAway
from gemmule.releases import (
    build,
    cohort,
    holding,
    progress,
    splitting,
    storage,
    work,
)
from gemmule.releases.errors import (
    BuildImpossible,
    ConsentMoved,
    LeaseLost,
    ReleasesHeld,
    SourceMoved,
)
from gemmule.releases.models import (
    PartState,
    ReleasePart,
    SplitBuild,
)
from genomics.errors import ChildKilled, GenomicsError
from genomics.job import Progress
from genomics.part_job import PartJob, PartResult

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def run(part_id: int, *, clock: Clock) -> int | None:
    """Cut one part; return the release whose build goes on now, if one does.

    That is so behind the last part, and when what is to be cut has changed, which
    begins the build anew. A part whose child was killed waits for a lease, as one whose
    whole worker was; what a person must mend fails the release.
    """
    part = _take(part_id, clock())
    if part is None:
        return None
    release = part.split.release
    name = f"{part.pk}-{part.attempts}.c4gh"
    path = storage.new_part(release.pk, part.split_id, name)
    try:
        holding.check_not_held(release)
        with _lease_kept(part, clock) as check_lease:
            result = _cut(part, path, check_lease, clock)
        is_last = _finish(part, path, result)
        progress.tell_parts(part.split, now=clock())
    except LeaseLost:
        logger.warning("release %s: %s is another's", release.accession, part)
        storage.drop_part(path)
        return None
    except (ConsentMoved, SourceMoved) as error:
        logger.info("release %s: %s; building again", release.accession, error)
        splitting.discard(release)
        build.put_back(release)
        return release.pk
    except BuildImpossible as error:
        build.fail(release, error.code, str(error), clock())
        return None
    except (ReleasesHeld, StorageAway) as error:
        logger.warning("release %s: %s: %s", release.accession, part, error)
        storage.drop_part(path)
        _wait(part, clock())
        return None
    except ChildKilled as error:
        logger.warning("release %s: %s lost its child", release.accession, part)
        _try_again(part, str(error), clock())
        return None
    except GenomicsError as error:
        logger.exception("release %s: the cut failed", release.accession)
        if _held(part).exists():
            build.fail(release, "cut-failed", str(error), clock())
        return None
    return release.pk if is_last else None


def _take(part_id: int, now: datetime) -> ReleasePart | None:
    """Hold the part for a new attempt, or return None."""
    with transaction.atomic():
        part = (
            splitting.live_parts()
            .select_for_update(of=("self",))
            .select_related(
                "source", "split__release__request__dataset", "split__release__key"
            )
            .filter(pk=part_id)
            .filter(
                Q(state=PartState.WAITING)
                | Q(state=PartState.BUILDING, lease_until__lt=now)
            )
            .first()
        )
        if part is None:
            return None
        if part.attempts < build.MAX_ATTEMPTS:
            part.state = PartState.BUILDING
            part.attempts += 1
            part.lease_until = now + _lease()
            part.percent, part.records, part.bytes = 0, 0, 0
            part.save()
            return part
    build.fail(
        part.split.release,
        "worker-lost",
        f"a part of the build was lost with its worker {build.MAX_ATTEMPTS} times; "
        "tell the administrator, who finds the reason in the worker's log",
        now,
    )
    return None


def _cut(
    part: ReleasePart, path: Path, check_lease: Callable[[], None], clock: Clock
) -> PartResult:
    split, release = part.split, part.split.release
    members = cohort.included(release.request, on=clock().date())
    if not members:
        raise ConsentMoved("no donor's consent covers this request any more")
    files = work.work_of(release, members, path.parent)
    splitting.check_same(split, files)
    (mine,) = [one for one in files if one.source.pk == part.source_id]

    def report(done: Progress) -> None:
        check_lease()
        share = done.records / part.source.records if part.source.records else 0.0
        _held(part).update(
            percent=min(99, int(100 * share)),
            records=done.records_out or 0,
            bytes=done.bytes,
        )
        progress.tell_parts(split, now=clock())

    try:
        with work.job_at_hand(mine) as subset:
            result = genomics.child.run(
                PartJob(
                    subset=subset,
                    number=part.number,
                    count=part.count,
                    build_public_key=splitting.public_key(split),
                    part=path,
                ),
                on_progress=report,
                timeout_s=build.CHILD_TIMEOUT_S,
                temp_root=storage.scratch(),
            )
    except GenomicsError as error:
        if not gemmule.catalog.erasure.is_current(part.source):
            raise SourceMoved("a store was rewritten during the build") from error
        raise
    if not gemmule.catalog.erasure.is_current(part.source):
        raise SourceMoved("a store was rewritten during the build")
    return result


def _finish(part: ReleasePart, path: Path, result: PartResult) -> bool:
    """Note that the part is done; tell whether it was the last one."""
    kept = storage.put_part(path)
    with transaction.atomic():
        # Two that end at once must not both believe that the other is still at work.
        split = SplitBuild.objects.select_for_update().filter(pk=part.split_id).first()
        is_ours = split is not None and _held(part).update(
            state=PartState.DONE,
            lease_until=None,
            percent=100,
            records=result.records_out,
            bytes=result.bytes,
            path=kept,
            sha256=result.sha256,
        )
        if split is None or not is_ours:
            raise LeaseLost(f"{part} was given to another worker")
        return splitting.is_cut(split)


def _try_again(part: ReleasePart, reason: str, now: datetime) -> None:
    """Leave the part to be picked up again, or set the release aside."""
    if part.attempts >= build.MAX_ATTEMPTS:
        if _held(part).exists():
            build.fail(
                part.split.release,
                "set-aside",
                "the process that cuts a part of the file was lost "
                f"{build.MAX_ATTEMPTS} times (the last time: {reason}); tell the "
                "administrator, who finds more in the worker's log",
                now,
            )
        return
    # What it lacked, memory most often, may be there by then.
    _held(part).update(
        state=PartState.WAITING,
        lease_until=now + _lease(),
        percent=0,
        records=0,
        bytes=0,
    )


def _wait(part: ReleasePart, now: datetime) -> None:
    """Leave the part to be picked up after a lease: no try of its own is used up."""
    _held(part).update(
        state=PartState.WAITING,
        attempts=F("attempts") - 1,
        lease_until=now + _lease(),
        percent=0,
        records=0,
        bytes=0,
    )


def _held(part: ReleasePart) -> QuerySet[ReleasePart]:
    return splitting.live_parts().filter(
        pk=part.pk, state=PartState.BUILDING, attempts=part.attempts
    )


def _lease_kept(
    part: ReleasePart, clock: Clock
) -> AbstractContextManager[Callable[[], None]]:
    def renew() -> bool:
        return bool(_held(part).update(lease_until=clock() + _lease()))

    return leases.kept(
        renew,
        lease=_lease(),
        lost=lambda: LeaseLost(f"{part} was given to another worker"),
    )


def _lease() -> timedelta:
    return timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
