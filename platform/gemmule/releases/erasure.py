"""Erase a donor: step by step, each as often as it takes, to the last byte.

`begin` takes effect in one transaction: nothing new of her is recorded, her consent is
withdrawn, her releases are closed, her account is shut. `run` does the rest in a
worker. The row says which step is next; every step may be repeated, so that a worker
killed anywhere is made up for by the next. What each table and file keeps, and why, is
listed in docs/erasure.md. Never imports services or tasks.
"""

import logging
import traceback
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.base import Model

import consent.erasure
import consent.locks
import consent.selectors
import consent.services
import consent.states
import gemmule.accounts.closing
import gemmule.catalog.erasure
import gemmule.notices.services
import ledger.erasure
import ledger.services
from consent.models import Act, Channel, Consent, Donor
from gemmule.access.models import Resolution
from gemmule.accounts.models import DonorAccount, RoleGrant, User
from gemmule.catalog import leases
from gemmule.catalog.errors import IntakeUnderway
from gemmule.catalog.models import DataFile, Dataset, Sample
from gemmule.notices.models import Letter, Notice
from gemmule.objects import places
from gemmule.objects.kept import StorageAway
from gemmule.releases import closing, states, storage, upkeep, wiping
from gemmule.releases.errors import ErasureWaits, LeaseLost
from gemmule.releases.models import (
    Erasure,
    ErasureStage,
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleasePart,
    ReleaseState,
    SplitBuild,
)

logger = logging.getLogger(__name__)

# When an erasure that waits is looked at again.
LOOK_AGAIN = timedelta(seconds=5)

Clock = Callable[[], datetime]
_Check = Callable[[], None]
_Step = Callable[[Erasure, Clock, _Check], None]

# Tables that lose rows, or values; the ledger adds its own.
_TOUCHED: tuple[type[Model], ...] = (
    Consent,
    DataFile,
    Dataset,
    Donor,
    DonorAccount,
    Erasure,
    Letter,
    Notice,
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleasePart,
    Resolution,
    RoleGrant,
    Sample,
    Session,
    SplitBuild,
    User,
)


def begin(
    *,
    donor: Donor,
    user: User | None,
    now: datetime,
    channel: str = Channel.DONOR,
) -> Erasure:
    """Mark the donor, end her consent, close her releases and her account, at once.

    Asked a second time it returns the erasure that is under way.
    """
    with transaction.atomic():
        consent.locks.lock_exclusive(donor.pk)
        under_way = Erasure.objects.filter(donor=donor.pk).first()
        if under_way is not None:
            return under_way
        consent.erasure.mark(donor=donor, now=now)
        _withdraw(donor, channel, now)
        closing.close_holding(donor=donor, now=now)
        if user is not None:
            gemmule.accounts.closing.shut(user=user)
        return Erasure.objects.create(
            donor=donor.pk,
            subject=donor.subject,
            user=None if user is None else user.pk,
            asked_at=now,
        )


def run(erasure_id: UUID, *, clock: Clock) -> ErasureStage | None:
    """Carry an erasure on as far as it goes; return its stage, None when not ours."""
    held = _take(erasure_id, clock())
    if held is None:
        return None
    try:
        with _lease_kept(held, clock) as check_lease:
            while held.stage != ErasureStage.DONE:
                _STEPS[ErasureStage(held.stage)](held, clock, check_lease)
    except LeaseLost:
        return None
    except (ErasureWaits, IntakeUnderway, StorageAway) as reason:
        logger.info("erasure %s waits at %s: %s", held.pk, held.stage, reason)
        _held(held).update(lease_until=clock() + LOOK_AGAIN)
    except Exception as error:  # noqa: BLE001 - its text may quote the person
        # The place is told, the text is not: a database quotes what it refuses.
        where = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        logger.error("erasure %s: %s at %s\n%s", held.pk, kind, held.stage, where)
        lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
        _held(held).update(lease_until=clock() + lease)
    return ErasureStage(held.stage)


def left_behind(*, now: datetime) -> list[UUID]:
    """Return the erasures that nobody carries on just now, oldest first."""
    return list(
        Erasure.objects.exclude(stage=ErasureStage.DONE)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .order_by("asked_at")
        .values_list("pk", flat=True)
    )


def revived() -> QuerySet[Donor]:
    """Return the donors whose keys are buried: a restored backup brought them back."""
    subjects = Donor.objects.values_list("subject", flat=True)
    return Donor.objects.filter(
        subject__in=ledger.erasure.erased_among(subjects)
    ).order_by("pk")


# --- holding --------------------------------------------------------------------


def _take(erasure_id: UUID, now: datetime) -> Erasure | None:
    with transaction.atomic():
        erasure = (
            Erasure.objects.select_for_update()
            .exclude(stage=ErasureStage.DONE)
            .filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=erasure_id)
            .first()
        )
        if erasure is None:
            return None
        erasure.fencing_token += 1
        erasure.lease_until = now + timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
        erasure.save(update_fields=["fencing_token", "lease_until"])
    return erasure


def _lease_kept(
    erasure: Erasure, clock: Clock
) -> AbstractContextManager[Callable[[], None]]:
    lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)

    def renew() -> bool:
        return bool(_held(erasure).update(lease_until=clock() + lease))

    return leases.kept(
        renew, lease=lease, lost=lambda: LeaseLost("another worker erases")
    )


def _held(erasure: Erasure) -> QuerySet[Erasure]:
    return Erasure.objects.filter(pk=erasure.pk, fencing_token=erasure.fencing_token)


def _go_on(erasure: Erasure, stage: ErasureStage, **fields: object) -> None:
    """Note that a step is done, unless another worker holds the erasure now."""
    if not _held(erasure).update(stage=stage, **fields):
        raise LeaseLost(f"erasure {erasure.pk} is held by another worker")
    erasure.refresh_from_db()


# --- the steps --------------------------------------------------------------------


def _withdraw(donor: Donor, channel: str, now: datetime) -> None:
    standing = consent.selectors.current(donor)
    if standing is None or ledger.erasure.erased_among([donor.subject]):
        return
    state = standing.state_on(now.date())
    if consent.states.is_allowed(Act.WITHDRAWN, state):
        act = partial(
            consent.services.withdraw,
            donor=donor,
            event=uuid.uuid4(),
            channel=channel,
            now=now,
        )
        closing.carry_out(donor=donor, act=act, now=now)


def _stop_builds(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    """Take from their workers the builds that may hold her, and delete what they wrote.

    Their child processes end within a lease; the stores wait for that.
    """
    building = Release.objects.filter(
        state=ReleaseState.BUILDING, request__dataset__samples__donor_id=_donor(erasure)
    )
    building.update(
        state=ReleaseState.REQUESTED,
        # A higher token: what the old worker still writes is told apart and deleted.
        fencing_token=F("fencing_token") + 1,
        attempts=F("attempts") - 1,
        lease_until=None,
        progress={},
    )
    upkeep.tidy()
    _go_on(erasure, ErasureStage.SEQUENCE, builds_stopped_at=clock())


def _sequence(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    while ledger.services.sequence(now=clock()):
        check_lease()
    _go_on(erasure, ErasureStage.KEY)


def _destroy_key(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    ledger.erasure.destroy_key(subject=_subject(erasure), now=clock())
    _go_on(erasure, ErasureStage.BODIES)


def _erase_bodies(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    ledger.erasure.erase_bodies(subject=_subject(erasure))
    _go_on(erasure, ErasureStage.FILES)


def _delete_files(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    """Delete the files of every release with her; how many were in it stays known."""
    held = Release.objects.filter(donors__donor_id=_donor(erasure)).order_by("pk")
    for release in held:
        check_lease()
        assert release.state not in states.DELIVERED_STATES, "begin closed it"
        storage.delete(release)
        with transaction.atomic():
            ReleaseFile.objects.filter(release=release).update(path="")
            gone, _ = ReleaseDonor.objects.filter(
                release=release, donor_id=_donor(erasure)
            ).delete()
            Release.objects.filter(pk=release.pk).update(
                donors_erased=F("donors_erased") + gone
            )
    _go_on(erasure, ErasureStage.STORES)


def _rewrite_stores(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    _check_builds_ended(erasure, clock())
    gemmule.catalog.erasure.remove_donor(
        _donor(erasure),
        work=str(erasure.pk),
        attempt=erasure.fencing_token,
        check_lease=check_lease,
    )
    _check_copies_gone(erasure, clock())
    _go_on(erasure, ErasureStage.ROWS)


def _check_copies_gone(erasure: Erasure, now: datetime) -> None:
    """Wait until every machine has looked through its copies of the stores."""
    if not places.is_shared():
        return
    if erasure.stores_rewritten_at is None:
        _go_on(erasure, ErasureStage.STORES, stores_rewritten_at=now)
    assert erasure.stores_rewritten_at is not None, "it was set just now"
    if now < erasure.stores_rewritten_at + upkeep.TIDIED_WITHIN:
        raise ErasureWaits("another machine may still have a copy of a store")


def _check_builds_ended(erasure: Erasure, now: datetime) -> None:
    """Wait until no child process can hold her any more.

    A build whose release was taken from it notices within a lease, and its plaintext
    goes with it; that of builds which died is swept here.
    """
    assert erasure.builds_stopped_at is not None, "builds are stopped first"
    lease = timedelta(seconds=settings.RELEASE_LEASE_SECONDS)
    upkeep.sweep_scratch(now=now)
    is_empty = storage.is_scratch_empty() and not places.is_shared()
    if now < erasure.builds_stopped_at + lease and not is_empty:
        raise ErasureWaits("a build that was stopped may not have noticed yet")


def _delete_rows(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    """Delete what names her and append `subject.erased`, in one transaction."""
    donor_id = _donor(erasure)
    with transaction.atomic():
        consent.locks.lock_exclusive(donor_id)
        if Sample.objects.filter(donor_id=donor_id).exists():
            # A sample map was uploaded between the two steps.
            _go_on(erasure, ErasureStage.STORES, stores_rewritten_at=None)
            return
        if erasure.user is not None:
            gemmule.notices.services.forget(
                user_id=erasure.user,
                addresses=gemmule.accounts.closing.addresses_of(erasure.user),
            )
            gemmule.accounts.closing.erase(erasure.user)
        Resolution.objects.filter(consent__donor_id=donor_id).delete()
        consent.erasure.delete(donor_id)
        ledger.erasure.redact([str(donor_id), str(_subject(erasure))])
        ledger.erasure.record(event=erasure.event, now=clock())
        _go_on(erasure, ErasureStage.WIPE, donor=None, subject=None, user=None)


def _wipe(erasure: Erasure, clock: Clock, check_lease: _Check) -> None:
    wiping.wipe([*_TOUCHED, *ledger.erasure.touched()])
    _go_on(erasure, ErasureStage.DONE, done_at=clock(), lease_until=None)


def _donor(erasure: Erasure) -> UUID:
    assert erasure.donor is not None, "until her rows are gone it names her"
    return erasure.donor


def _subject(erasure: Erasure) -> UUID:
    assert erasure.subject is not None, "until her rows are gone it names her"
    return erasure.subject


_STEPS: Mapping[ErasureStage, _Step] = {
    ErasureStage.BUILDS: _stop_builds,
    ErasureStage.SEQUENCE: _sequence,
    ErasureStage.KEY: _destroy_key,
    ErasureStage.BODIES: _erase_bodies,
    ErasureStage.FILES: _delete_files,
    ErasureStage.STORES: _rewrite_stores,
    ErasureStage.ROWS: _delete_rows,
    ErasureStage.WIPE: _wipe,
}
