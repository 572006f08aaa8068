"""The gate every byte of a release passes, chunk by chunk.

After a withdrawal, revocation or expiry is acknowledged no chunk passes. At most
one chunk per stream (256 KiB), whose check came first, may still be on its way to
the reader.
"""

from collections.abc import Callable
from datetime import date, datetime

from django.db import (
    DEFAULT_DB_ALIAS,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.models import Exists, OuterRef

import ledger.selectors
from gemmule.access.models import Project, ProjectMember, RequestState
from gemmule.accounts.models import User
from gemmule.objects import places
from gemmule.objects.kept import StorageAway
from gemmule.releases import endings, holding, locks, refusals, turnstile
from gemmule.releases.errors import DeliveryRefused, NotYetOnLedger
from gemmule.releases.models import Release, ReleaseState

CHUNK_BYTES = 256 * 1024
# A bucket that sends a byte now and then holds up a withdrawal no longer than this.
_READ_WITHIN_S = 5

_WAITING = (ReleaseState.REQUESTED, ReleaseState.BUILDING)
_OPEN = (ReleaseState.SEALED, ReleaseState.AVAILABLE)


def check_open(release: Release, user: User, *, today: date) -> None:
    """Raise DeliveryRefused, naming the rule and the next step, unless bytes may go.

    `release` must be freshly read with its request and key.
    """
    if release.state in _WAITING:
        raise NotYetOnLedger(
            f"release {release.accession} is still being built",
            code="not-built",
            title="This release is not ready yet",
            release=release.accession,
        )
    if release.state not in _OPEN:
        raise refusals.because_closed(release)
    if release.expires_on < today:
        raise refusals.because_expired(release)
    if release.request.state != RequestState.APPROVED:
        raise DeliveryRefused(
            f"the request behind release {release.accession} is no longer approved; "
            "ask the IRB",
            code="request-closed",
            title="The request behind this release has ended",
            release=release.accession,
        )
    if release.key.state != "active":
        raise DeliveryRefused(
            "the key this release is encrypted to was retired; "
            "open a new release for your new key",
            code="key-retired",
            title="The key of this release was retired",
            release=release.accession,
        )
    is_member, is_ended = _asked(release, user)
    if is_ended:
        raise refusals.because_ended(release)
    if not user.is_active or not is_member:
        raise DeliveryRefused(
            "you are no longer a member of the project; ask its lead",
            code="not-a-member",
            title="You are no longer in this project",
        )
    holding.check_not_held(release)


def check_on_ledger(release: Release) -> None:
    """Raise NotYetOnLedger until a signed checkpoint covers the release's entry."""
    if not ledger.selectors.is_published(release.event):
        raise NotYetOnLedger(
            f"release {release.accession} waits for its ledger entry to be sealed; "
            "try again in a few seconds",
            code="not-on-ledger",
            title="This release is not ready yet",
            release=release.accession,
        )


def pass_chunk(
    release_id: int,
    user: User,
    read: Callable[[], bytes],
    *,
    clock: Callable[[], datetime],
) -> bytes:
    """Return what `read` takes from storage, if the gate is open around the reading.

    On PostgreSQL under the release's shared lock, in a transaction that those who read
    at the same time share (`turnstile`) or in one of its own: `read` may be called
    again. On SQLite the state is read again after the chunk, without the write lock.
    A bucket has five seconds: the database then frees the lock, and the chunk is not
    handed on. As it takes its time, nobody waits for another's chunk.
    """
    own = connections[DEFAULT_DB_ALIAS]
    holding.refresh(now=clock())
    if own.in_atomic_block:
        return _alone(release_id, user, read, clock)
    # Between chunks the reader is slow and the connection is of use to others.
    own.close()
    if own.vendor == "postgresql" and not places.is_shared():
        taken = turnstile.at(release_id).take(user.pk, clock().date(), read)
        if taken is not None:
            return taken
    try:
        return _alone(release_id, user, read, clock)
    finally:
        own.close()


def _alone(
    release_id: int,
    user: User,
    read: Callable[[], bytes],
    clock: Callable[[], datetime],
) -> bytes:
    if connection.vendor == "postgresql":
        return _locked(release_id, user, read, clock)
    check_open(_fresh(release_id), user, today=clock().date())
    chunk = read()
    check_open(_fresh(release_id), user, today=clock().date())
    return chunk


def _locked(
    release_id: int,
    user: User,
    read: Callable[[], bytes],
    clock: Callable[[], datetime],
) -> bytes:
    try:
        with transaction.atomic():
            if places.is_shared():
                locks.release_after(_READ_WITHIN_S)
            locks.lock_shared(release_id)
            check_open(_fresh(release_id), user, today=clock().date())
            return read()
    except (OperationalError, InternalError) as error:
        if not places.is_shared():
            raise
        raise StorageAway(
            "the storage took too long for a piece of the file; nothing is lost, try "
            "again in a minute"
        ) from error


def _asked(release: Release, user: User) -> tuple[bool, bool]:
    """Return whether the user is in the project, and the ledger ended the release."""
    project = Project.objects.filter(pk=release.request.project_id)
    is_member, is_sealed, is_ended = project.values_list(
        Exists(ProjectMember.objects.filter(project=OuterRef("pk"), user=user)),
        *endings.conditions(release),
    ).get()
    return is_member, is_ended or not is_sealed


def _fresh(release_id: int) -> Release:
    return Release.objects.select_related("request__project", "key").get(pk=release_id)
