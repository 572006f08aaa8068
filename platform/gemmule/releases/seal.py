"""Seal a built release: consent asked again and the entry queued in one transaction.

The donors' locks are taken shared, in the order of their ids; a withdrawal takes
its donor's exclusively. So a withdrawal either comes first, and the build is
abandoned, or comes after, and finds the sealed release to revoke.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction

import consent.locks
import gemmule.access.services
import ledger.selectors
import ledger.services
from gemmule.access.errors import AccessError
from gemmule.access.selectors import request_sha256
from gemmule.catalog.selectors import accepted_files
from gemmule.releases import (
    account,
    cohort,
    grounds,
    holding,
    manifest,
    splitting,
    states,
    storage,
)
from gemmule.releases.account import Considered
from gemmule.releases.cohort import Included
from gemmule.releases.errors import (
    BuildImpossible,
    ConsentMoved,
    LeaseLost,
    SourceMoved,
)
from gemmule.releases.manifest import Cut
from gemmule.releases.models import (
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleaseState,
)


def seal(
    *,
    release: Release,
    token: int,
    considered: Considered,
    cut: Cut,
    folder: Path,
    now: Callable[[], datetime],
) -> Release:
    """Make the build the release, or raise BuildAbandoned and change nothing.

    The database compares the rows of approval and consents once more with what the
    ledger opened before the locks: nobody else but who edits rows can change them here.
    """
    members = considered.chosen.members
    # Every consent must stand on the ledger below the size that is cited.
    ledger.services.settle(now=now())
    with transaction.atomic():
        consent.locks.lock_shared([one.donor_id for one in members])
        locked = _hold(release, token)
        holding.check_not_held(locked)
        moment = now()
        grounds.compare(considered.grounds, locked.request)
        _check_still_allowed(locked, members, release.request.dataset.build, moment)
        size = _cited_size(members)
        sealed = manifest.compose(
            release=locked, members=members, cut=cut, ledger_size=size, now=moment
        )
        kept = account.compose(
            release=locked,
            considered=considered,
            sealed=sealed,
            sources=list(accepted_files(locked.request.dataset)),
        )
        states.move(locked, ReleaseState.SEALED)
        locked.manifest = sealed.content
        locked.manifest_sha256 = sealed.sha256
        locked.samples = len(members)
        locked.records = cut.records_out
        locked.account = kept.content
        locked.ledger_size = size
        locked.sealed_at = moment
        locked.lease_until = None
        locked.expires_on = cohort.earliest_end(members, locked.expires_on)
        locked.save()
        ReleaseFile.objects.bulk_create(
            ReleaseFile(
                release=locked,
                name=file.name,
                role=file.role,
                path=storage.relative(folder / file.name),
                sha256_plain=file.sha256_plain,
                sha256_cipher=file.sha256_cipher,
                size_plain=file.size_plain,
                size_bytes=file.size_bytes,
                segments=file.segments,
            )
            for file in cut.files
        )
        ReleaseDonor.objects.bulk_create(
            ReleaseDonor(
                release=locked,
                donor_id=one.donor_id,
                consent=one.consent,
                sample_name=one.sample_name,
            )
            for one in members
        )
        # Whatever its parts were sealed to is forgotten with this.
        splitting.forget(locked)
        ledger.services.append(
            type="data.released",
            pub={
                "dataset": locked.request.dataset.accession,
                "manifest_sha256": sealed.sha256,
                "request_sha256": request_sha256(locked.request),
                "cohort_root": sealed.cohort_root,
            },
            body={
                "release": locked.accession,
                "request": locked.request.accession,
                "recipient": str(locked.recipient_id),
                # The project may open this body; the account says more than it may
                # know, and only the IRB's dossier opens it.
                "account": kept.commitment,
            },
            event=locked.event,
            now=moment,
        )
    return locked


def _hold(release: Release, token: int) -> Release:
    locked = (
        Release.objects.select_for_update(of=("self",))
        .select_related("request__project__institution", "request__dataset", "key")
        .get(pk=release.pk)
    )
    if locked.state != ReleaseState.BUILDING or locked.fencing_token != token:
        raise LeaseLost(f"release {locked.accession} is no longer held by this build")
    return locked


def _check_still_allowed(
    release: Release, members: Sequence[Included], build: str, moment: datetime
) -> None:
    try:
        gemmule.access.services.check_open(release.request, now=moment)
    except AccessError as error:
        raise BuildImpossible(str(error), code="request-closed") from error
    if release.request.dataset.build != build:
        raise SourceMoved("the genome build of the dataset changed during the build")
    if release.key.state != "active":
        raise BuildImpossible(
            "the recipient's key was retired while the release was built; "
            "request it again with the new key",
            code="key-changed",
        )
    standing = {
        one.donor_id: _cut_by(one)
        for one in cohort.included(release.request, on=moment.date())
    }
    for one in members:
        if standing.get(one.donor_id) != _cut_by(one):
            raise ConsentMoved("an included consent changed during the build")


def _cut_by(member: Included) -> tuple[object, ...]:
    """Return all that a donor's column was chosen, named and cut by."""
    names = (member.source_name, member.sample_name)
    return (member.consent.pk, member.subject, *names, member.withheld)


def _cited_size(members: Sequence[Included]) -> int:
    """Return the tree size below which every cited consent stands."""
    size = ledger.selectors.tree_size()
    entries = ledger.selectors.entries_by_event([one.consent.event for one in members])
    for one in members:
        entry = entries.get(one.consent.event)
        if entry is None or entry.seq is None or entry.seq >= size:
            # It was accepted after `settle`: build again on the settled ledger.
            raise ConsentMoved("an included consent is not on the ledger yet")
    return size
