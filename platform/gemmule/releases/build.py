"""Build a release: hold it, cut and encrypt in child processes, seal.

Safe to run twice and to be killed anywhere: the row's fencing token says which
build may seal, its lease when a lost worker is given up, and each build writes to
a folder of its own. A large release is split: it is left to the workers who cut its
parts (`parts`), and what comes here then is their joining. Never imports services;
tasks call it with an id.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

import gemmule.catalog.erasure
import gemmule.catalog.storage
import gemmule.notices.services
import genomics.child
import ledger.services
from gemmule.catalog import leases
from gemmule.objects.kept import StorageAway
from gemmule.releases import (
    account,
    cohort,
    grounds,
    holding,
    incidents,
    splitting,
    states,
    storage,
)
from gemmule.releases.account import Considered
from gemmule.releases.errors import (
    BuildImpossible,
    ConsentMoved,
    LeaseLost,
    PartsUnusable,
    ReleasesHeld,
    RowsDiffer,
    SourceMoved,
)
from gemmule.releases.manifest import Cut
from gemmule.releases.models import Release, ReleaseState, SplitBuild
from gemmule.releases.progress import Meter
from gemmule.releases.seal import seal
from gemmule.releases.work import Work, job_at_hand, work_of
from genomics.errors import BuildFailed, ChildKilled, GenomicsError
from genomics.job import FileDigest, Progress, SubsetResult

logger = logging.getLogger(__name__)

# A build that lost its worker this often is set aside with a reason.
MAX_ATTEMPTS = 3
_TIMES = f"{MAX_ATTEMPTS} times"
CHILD_TIMEOUT_S = 6 * 60 * 60.0

Clock = Callable[[], datetime]


def run(release_id: int, *, clock: Clock) -> ReleaseState | None:
    """Build one release to its seal; return its state, or None when not ours.

    A release that is still being built when this returns was split: its parts are to be
    cut, and after the last of them this is called again.

    Consent that moved meanwhile, or a store that was rewritten without somebody, puts
    the release back to requested: the caller sends it again. A child that was killed
    does so too, and None is returned: the next try waits for as long as a lost
    worker's lease; so it does while the storage is away or releases are held. Errors
    that a person must fix mark the release failed, with a reason; rows that differ from
    the ledger are an incident as well.
    """
    held = _take(release_id, clock())
    if held is None:
        return None
    token = held.fencing_token
    try:
        with _lease_kept(held, clock) as check_lease:
            considered = _consider(held, clock)
            folder = storage.staging_dir(held, token)
            work = work_of(held, considered.chosen.members, folder)
            split = splitting.standing(held)
            if split is not None:
                splitting.check_same(split, work)
            elif sum(counts := splitting.shares(work)) > len(work):
                splitting.begin(held, work, counts, now=clock())
                return ReleaseState.BUILDING
            cut = _cut(held, work, split, check_lease, clock)
            for file in cut.files:
                storage.keep(folder / file.name)
            seal(
                release=held,
                token=token,
                considered=considered,
                cut=cut,
                folder=folder,
                now=clock,
            )
    except LeaseLost:
        logger.warning("release %s: another build holds it", held.accession)
        storage.discard(held, token)
        return None
    except (ConsentMoved, SourceMoved) as error:
        logger.info("release %s: %s; building again", held.accession, error)
        storage.discard(held, token)
        splitting.discard(held)
        return put_back(held)
    except StorageAway as error:
        logger.warning("release %s: %s", held.accession, error)
        storage.discard(held, token)
        _wait(held, "waiting for the storage", clock())
        return None
    except ReleasesHeld as error:
        logger.warning("release %s: %s", held.accession, error)
        storage.discard(held, token)
        _wait(held, "waiting: releases are held", clock())
        return None
    except RowsDiffer as error:
        # Before the release is failed: a kill in between only lets it be met again.
        incidents.report(release=held, error=error, now=clock())
        return fail(held, error.code, str(error), clock())
    except BuildImpossible as error:
        return fail(held, error.code, str(error), clock())
    except ChildKilled as error:
        # As when the whole worker is killed: the file need not be at fault.
        logger.warning("release %s: lost its child: %s", held.accession, error)
        return _try_again(held, f"was lost {_TIMES}", str(error), clock())
    except PartsUnusable as error:
        logger.warning("release %s: %s; building again", held.accession, error)
        splitting.discard(held)
        return _try_again(held, f"could not join parts {_TIMES}", str(error), clock())
    except GenomicsError as error:
        logger.exception("release %s: the cut failed", held.accession)
        return fail(held, "cut-failed", str(error), clock())
    storage.sweep(held, keep_token=token)
    return ReleaseState.SEALED


def _take(release_id: int, now: datetime) -> Release | None:
    """Hold the release with a new fencing token, or return None.

    That of a split build is free for its join once all parts are cut.
    """
    with transaction.atomic():
        release = (
            Release.objects.select_for_update(of=("self",))
            .select_related("request__project__institution", "request__dataset", "key")
            .filter(pk=release_id)
            .filter(
                Q(state=ReleaseState.REQUESTED, start_after=None)
                | Q(state=ReleaseState.REQUESTED, start_after__lte=now)
                | Q(state=ReleaseState.BUILDING, lease_until__lt=now)
                | Q(state=ReleaseState.BUILDING, lease_until=None)
            )
            .first()
        )
        if release is None:
            return None
        split = splitting.standing(release)
        if split is not None and not splitting.is_cut(split):
            return None
        is_first_join = split is not None and release.lease_until is None
        if release.attempts >= MAX_ATTEMPTS and not is_first_join:
            _mark_failed(
                release,
                "worker-lost",
                f"the build was lost with its worker {MAX_ATTEMPTS} times; "
                "tell the administrator, who finds the reason in the worker's log",
                now,
            )
            return None
        release.state = ReleaseState.BUILDING
        release.fencing_token += 1
        if not is_first_join:
            release.attempts += 1
        release.lease_until = now + timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
        if split is None:
            # Of an earlier build: its parts are of no use any more.
            splitting.forget(release)
            release.progress = {"stage": "choosing donors"}
        else:
            split.fencing_token = release.fencing_token
            split.save(update_fields=["fencing_token"])
        release.save()
    return release


def _lease_kept(
    release: Release, clock: Clock
) -> AbstractContextManager[Callable[[], None]]:
    lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)

    def renew() -> bool:
        held = Release.objects.filter(
            pk=release.pk,
            state=ReleaseState.BUILDING,
            fencing_token=release.fencing_token,
            # Left to the workers who cut its parts it has none.
            lease_until__isnull=False,
        )
        return bool(held.update(lease_until=clock() + lease))

    def lost() -> LeaseLost:
        return LeaseLost(f"release {release.accession} has a newer build")

    return leases.kept(renew, lease=lease, lost=lost)


def _consider(release: Release, clock: Clock) -> Considered:
    """Choose the donors as they stand on a ledger that holds all their consents."""
    holding.refresh(now=clock())
    holding.check_not_held(release)
    ledger.services.settle(now=clock())
    chosen = cohort.choose(release.request, on=clock().date())
    if not chosen.members:
        raise BuildImpossible(
            "no donor's consent covers this request today; "
            "see the verdict of the request for the clauses in the way",
            code="no-donors",
        )
    grounds.check_dataset(release.request.dataset)
    return account.consider(release, chosen)


def _cut(
    release: Release,
    work: list[Work],
    split: SplitBuild | None,
    check_lease: Callable[[], None],
    clock: Clock,
) -> Cut:
    """Run one child per file of the dataset and gather what they report."""
    meter = Meter(
        release, [one.source for one in work], clock, is_joining=split is not None
    )

    def report(progress: Progress) -> None:
        check_lease()
        meter.tell(progress)

    results = []
    for one in work:
        result = _cut_one(one, split, report)
        meter.finished(result)
        results.append(result)
    if not all(gemmule.catalog.erasure.is_current(one.source) for one in work):
        raise SourceMoved("a store was rewritten during the build")
    files: list[FileDigest] = []
    software: dict[str, str] = {}
    for result in results:
        files.extend(result.files)
        software.update(result.software)
    return Cut(
        files=tuple(files),
        records_out=sum(result.records_out for result in results),
        genotypes_withheld=sum(result.genotypes_withheld for result in results),
        records_withheld=sum(result.records_withheld for result in results),
        software=software,
    )


def _cut_one(
    one: Work, split: SplitBuild | None, report: Callable[[Progress], None]
) -> SubsetResult:
    try:
        with (
            job_at_hand(one)
            if split is None
            else splitting.join_at_hand(split, one) as job
        ):
            return genomics.child.run(
                job,
                on_progress=report,
                timeout_s=CHILD_TIMEOUT_S,
                temp_root=storage.scratch(),
            )
    except FileNotFoundError as error:
        raise PartsUnusable("a part is gone from the storage") from error
    except GenomicsError as error:
        if not gemmule.catalog.erasure.is_current(one.source):
            raise SourceMoved("a store was rewritten during the build") from error
        if isinstance(error, BuildFailed) and error.code == "part":
            raise PartsUnusable(error.message) from error
        raise


def put_back(release: Release) -> ReleaseState:
    """Return the release to requested; a moved consent is no lost worker."""
    Release.objects.filter(
        pk=release.pk,
        state=ReleaseState.BUILDING,
        fencing_token=release.fencing_token,
    ).update(
        state=ReleaseState.REQUESTED,
        lease_until=None,
        attempts=F("attempts") - 1,
        progress={},
    )
    return ReleaseState.REQUESTED


def _wait(release: Release, stage: str, now: datetime) -> None:
    """Put the release back until a lease has passed; no worker was lost by it.

    The periodic task sends it again then, and for as long as the storage is away or
    releases are held. Parts that were cut are joined again.
    """
    is_split = splitting.standing(release) is not None
    Release.objects.filter(
        pk=release.pk,
        state=ReleaseState.BUILDING,
        fencing_token=release.fencing_token,
    ).update(
        state=ReleaseState.BUILDING if is_split else ReleaseState.REQUESTED,
        lease_until=now + timedelta(seconds=settings.RELEASE_LEASE_SECONDS),
        attempts=F("attempts") - 1,
        progress={"stage": stage},
    )


def _try_again(
    release: Release, what: str, reason: str, now: datetime
) -> ReleaseState | None:
    """Leave the release to be picked up again, or set it aside after the last try.

    Parts that were cut are joined again; else the build begins anew.
    """
    with transaction.atomic():
        locked = _lock_held(release)
        is_last = locked is not None and locked.attempts >= MAX_ATTEMPTS
        if locked is not None and not is_last:
            if splitting.standing(locked) is None:
                states.move(locked, ReleaseState.REQUESTED)
            # What it lacked, memory most often, may be there by then.
            lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
            locked.lease_until = now + lease
            locked.progress = {"stage": "waiting to try again"}
            locked.save(update_fields=["state", "lease_until", "progress"])
    if is_last:
        return fail(
            release,
            "set-aside",
            f"the process that cuts the file {what} (the last time: {reason}); tell "
            "the administrator, who finds more in the worker's log",
            now,
        )
    storage.discard(release, release.fencing_token)
    return None


def fail(
    release: Release, code: str, reason: str, now: datetime
) -> ReleaseState | None:
    """Fail the release for a reason a person can act on, if this build holds it."""
    with transaction.atomic():
        locked = _lock_held(release)
        if locked is not None:
            _mark_failed(locked, code, reason, now)
    if locked is None:
        storage.discard(release, release.fencing_token)
        return None
    storage.sweep(release, keep_token=None)
    return ReleaseState.FAILED


def _lock_held(release: Release) -> Release | None:
    """Lock and return the row as long as this build holds it."""
    return (
        Release.objects.select_for_update()
        .filter(
            pk=release.pk,
            state=ReleaseState.BUILDING,
            fencing_token=release.fencing_token,
        )
        .first()
    )


def _mark_failed(release: Release, code: str, reason: str, now: datetime) -> None:
    release.state = ReleaseState.FAILED
    release.failure_code = code
    release.failure_reason = reason
    release.lease_until = None
    release.closed_at = now
    release.save()
    splitting.forget(release)
    gemmule.notices.services.notify(
        user=release.recipient,
        kind="release.failed",
        subject=f"Release {release.accession} could not be built",
        body=reason,
        url=f"/research/releases/{release.accession}/",
        now=now,
    )
