"""Build a release: hold it, cut and encrypt in child processes, seal.

Safe to run twice and to be killed anywhere: the row's fencing token says which
build may seal, its lease when a lost worker is given up, and each build writes to
a folder of its own. Never imports services; tasks call it with an id.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

import gemmule.catalog.erasure
import gemmule.catalog.storage
import gemmule.notices.services
import genomics.child
import ledger.services
from gemmule.catalog import leases
from gemmule.catalog.models import DataFile, DataFileState
from gemmule.releases import account, cohort, states, storage
from gemmule.releases.account import Considered
from gemmule.releases.cohort import Included
from gemmule.releases.errors import (
    BuildImpossible,
    ConsentMoved,
    LeaseLost,
    SourceMoved,
)
from gemmule.releases.manifest import Cut
from gemmule.releases.models import Release, ReleaseState
from gemmule.releases.progress import Meter
from gemmule.releases.seal import seal
from gemmule.releases.withholding import is_closed_to_all
from genomics.errors import ChildKilled, GenomicsError
from genomics.job import FileDigest, Progress, SubsetJob, SubsetResult

logger = logging.getLogger(__name__)

# A build that lost its worker this often is set aside with a reason.
MAX_ATTEMPTS = 3
_CHILD_TIMEOUT_S = 6 * 60 * 60.0

Clock = Callable[[], datetime]


def run(release_id: int, *, clock: Clock) -> ReleaseState | None:
    """Build one release to its seal; return its state, or None when not ours.

    Consent that moved meanwhile, or a store that was rewritten without somebody, puts
    the release back to requested: the caller sends it again. A child that was killed
    does so too, and None is returned: the next try waits for as long as a lost
    worker's lease. What a person must mend fails it with a reason.
    """
    held = _take(release_id, clock())
    if held is None:
        return None
    token = held.fencing_token
    try:
        with _lease_kept(held, clock) as check_lease:
            considered = _consider(held, clock)
            folder = storage.staging_dir(held, token)
            cut = _cut(held, considered.chosen.members, folder, check_lease, clock)
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
        return _put_back(held)
    except BuildImpossible as error:
        return _fail(held, error.code, str(error), clock())
    except ChildKilled as error:
        # As when the whole worker is killed: the file need not be at fault.
        logger.warning("release %s: lost its child: %s", held.accession, error)
        return _try_again(held, str(error), clock())
    except GenomicsError as error:
        logger.exception("release %s: the cut failed", held.accession)
        return _fail(held, "cut-failed", str(error), clock())
    storage.sweep(held, keep_token=token)
    return ReleaseState.SEALED


def _take(release_id: int, now: datetime) -> Release | None:
    """Hold the release with a new fencing token, or return None."""
    with transaction.atomic():
        release = (
            Release.objects.select_for_update(of=("self",))
            .select_related("request__project__institution", "request__dataset", "key")
            .filter(pk=release_id)
            .filter(
                Q(state=ReleaseState.REQUESTED, start_after=None)
                | Q(state=ReleaseState.REQUESTED, start_after__lte=now)
                | Q(state=ReleaseState.BUILDING, lease_until__lt=now)
            )
            .first()
        )
        if release is None:
            return None
        if release.attempts >= MAX_ATTEMPTS:
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
        release.attempts += 1
        release.lease_until = now + timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
        release.progress = {"stage": "choosing donors"}
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
        )
        return bool(held.update(lease_until=clock() + lease))

    def lost() -> LeaseLost:
        return LeaseLost(f"release {release.accession} has a newer build")

    return leases.kept(renew, lease=lease, lost=lost)


def _consider(release: Release, clock: Clock) -> Considered:
    """Choose the donors as they stand on a ledger that holds all their consents."""
    ledger.services.settle(now=clock())
    chosen = cohort.choose(release.request, on=clock().date())
    if not chosen.members:
        raise BuildImpossible(
            "no donor's consent covers this request today; "
            "see the verdict of the request for the clauses in the way",
            code="no-donors",
        )
    return account.consider(release, chosen)


def _cut(
    release: Release,
    members: list[Included],
    folder: Path,
    check_lease: Callable[[], None],
    clock: Clock,
) -> Cut:
    """Run one child per file of the dataset and gather what they report."""
    sources = list(
        release.request.dataset.files.filter(state=DataFileState.ACCEPTED).order_by(
            "number"
        )
    )
    if not sources:
        raise BuildImpossible("the dataset holds no accepted file", code="no-files")
    meter = Meter(release, sources, clock)

    def report(progress: Progress) -> None:
        check_lease()
        meter.tell(progress)

    results = []
    for source in sources:
        with gemmule.catalog.storage.store_at_hand(source) as store:
            job = job_for(
                release, source, store, members, folder, single=len(sources) == 1
            )
            result = _cut_one(source, job, report)
        meter.finished(result)
        results.append(result)
    if not all(gemmule.catalog.erasure.is_current(source) for source in sources):
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
        software=software,
    )


def _cut_one(
    source: DataFile, job: SubsetJob, report: Callable[[Progress], None]
) -> SubsetResult:
    try:
        return genomics.child.run(
            job,
            on_progress=report,
            timeout_s=_CHILD_TIMEOUT_S,
            temp_root=storage.scratch(),
        )
    except GenomicsError as error:
        if not gemmule.catalog.erasure.is_current(source):
            raise SourceMoved("a store was rewritten during the build") from error
        raise


def job_for(
    release: Release,
    source: DataFile,
    store: Path,
    members: list[Included],
    folder: Path,
    *,
    single: bool,
) -> SubsetJob:
    """Return what a child process is to do with one file of the dataset.

    `store` is where it lies just now, `single`: the dataset has no other file.
    Everything that the plaintext depends on stands in it.
    """
    name = release.accession if single else f"{release.accession}.{source.number}"
    regions = release.request.regions
    return SubsetJob(
        source=store,
        samples=tuple((one.source_name, one.sample_name) for one in members),
        build=release.request.dataset.build,
        regions=None if regions is None else tuple((c, s, e) for c, s, e in regions),
        withheld={
            one.source_name: one.withheld
            for one in members
            if one.withheld and not is_closed_to_all(one.consent.withheld)
        },
        excluded_regions=tuple(
            sorted(
                {
                    span
                    for one in members
                    if is_closed_to_all(one.consent.withheld)
                    for span in one.withheld
                }
            )
        ),
        filter_is_cohort_independent=release.request.dataset.filter_is_cohort_independent,
        recipient_public_key=bytes(release.key.public_key),
        output_dir=folder,
        name=name,
        source_sha256=source.sha256_store,
        columns_sha256=source.sha256_columns or None,
        records_total=source.records,
    )


def _put_back(release: Release) -> ReleaseState:
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


def _try_again(release: Release, reason: str, now: datetime) -> ReleaseState | None:
    """Leave the release to be picked up again, or set it aside after the last try."""
    with transaction.atomic():
        locked = _lock_held(release)
        is_last = locked is not None and locked.attempts >= MAX_ATTEMPTS
        if locked is not None and not is_last:
            states.move(locked, ReleaseState.REQUESTED)
            # What it lacked, memory most often, may be there by then.
            lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
            locked.lease_until = now + lease
            locked.progress = {"stage": "waiting to try again"}
            locked.save(update_fields=["state", "lease_until", "progress"])
    if is_last:
        return _fail(
            release,
            "set-aside",
            f"the process that cuts the file was lost {MAX_ATTEMPTS} times (the last "
            f"time: {reason}); tell the administrator, who finds more in the "
            "worker's log",
            now,
        )
    storage.discard(release, release.fencing_token)
    return None


def _fail(
    release: Release, code: str, reason: str, now: datetime
) -> ReleaseState | None:
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
    gemmule.notices.services.notify(
        user=release.recipient,
        kind="release.failed",
        subject=f"Release {release.accession} could not be built",
        body=reason,
        url=f"/research/releases/{release.accession}/",
        now=now,
    )
