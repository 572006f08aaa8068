"""Catch up with the ledger after a database was restored, act by act.

`restore_ledger` has put the entries back, and the bodies that were kept. This
module updates the rows: revoked releases, ended requests, revoked roles, decisions of
donors, and what these close. It does only what the ledger shows, and may run again. An
act whose body is lost holds the datasets that it may concern, until two administrators
have looked at it (`holds`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import transaction

import consent.locks
import consent.replaying
import consent.selectors
import gemmule.access.replaying
import gemmule.accounts.replaying
import ledger.erasure
import ledger.opened
import ledger.selectors
from consent.models import Donor
from gemmule.catalog.models import Dataset
from gemmule.releases import closing, holds, locks, states
from gemmule.releases.hold import HoldCode
from gemmule.releases.models import Erasure, ErasureStage, Release, ReleaseState
from ledger.inspection import Finding
from ledger.opened import Opened

_REASONS = {"consent-ended": "The consent of a donor in it ended."}
_SEALED_SINCE = (
    "it was sealed after the backup from which this site was restored; ask for it again"
)


def replay(*, now: datetime) -> list[Finding]:
    """Update the rows from the ledger; return what was done and what is lost."""
    tombstones = ledger.erasure.restore_tombstones()
    done = [*_releases(now), *gemmule.accounts.replaying.replay(now=now)]
    ended, lost_ends = gemmule.access.replaying.replay()
    done += ended
    for end in lost_ends:
        _hold(Dataset.objects.filter(accession=end.dataset), end.finding, now)
    replayed = consent.replaying.replay()
    for made in replayed.made:
        what = f"a donor's consent.{made.act} was restored"
        done.append(_done(ledger.selectors.entry(made.event).seq, what))
    for lost in replayed.lost:
        if lost.donor_id is None:
            holds.place(code=HoldCode.LOST, findings=[lost.finding], now=now)
        else:
            datasets = Dataset.objects.filter(samples__donor_id=lost.donor_id)
            _hold(datasets.distinct(), lost.finding, now)
    for donor_id in dict.fromkeys(made.donor_id for made in replayed.made):
        _close(Donor.objects.get(pk=donor_id), now)
    done += _erasures(tombstones, now)
    return [
        *done,
        *(end.finding for end in lost_ends),
        *(act.finding for act in replayed.lost),
    ]


def _done(seq: int | None, what: str) -> Finding:
    return Finding(code="replayed", message=f"entry {seq}: {what}", seq=seq)


def _hold(datasets: Iterable[Dataset], finding: Finding, now: datetime) -> None:
    for dataset in datasets:
        holds.place(code=HoldCode.LOST, dataset=dataset, findings=[finding], now=now)


def _releases(now: datetime) -> Iterator[Finding]:
    """Revoke releases that the ledger revoked, and fail those sealed since the backup.

    The latter have lost what the seal wrote to their rows.
    """
    for entry in ledger.opened.walk_log("data.released", "data.revoked"):
        if entry.type == "data.released":
            release = Release.objects.filter(event=entry.event).first()
            if release is not None and _give_up(release, now):
                yield _done(
                    entry.seq,
                    f"release {release.accession} was sealed after the backup and is "
                    "now marked failed: its researcher must ask for it again",
                )
            continue
        digest = entry.pub["manifest_sha256"]
        for release in Release.objects.filter(manifest_sha256=digest):
            if _revoke(release, entry):
                yield _done(entry.seq, f"release {release.accession} is revoked")


def _revoke(release: Release, entry: Opened) -> bool:
    with transaction.atomic():
        locks.lock_exclusive(release.pk)
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state not in states.DELIVERED_STATES:
            return False
        states.move(locked, ReleaseState.REVOKED)
        locked.event_revoked = entry.event
        locked.closed_at = ledger.selectors.entry(entry.event).time
        locked.closed_reason = _REASONS.get(str(entry.pub.get("reason")), "")
        locked.lease_until = None
        locked.save()
    return True


def _give_up(release: Release, now: datetime) -> bool:
    with transaction.atomic():
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.state not in (ReleaseState.REQUESTED, ReleaseState.BUILDING):
            return False
        states.move(locked, ReleaseState.FAILED)
        locked.failure_code, locked.failure_reason = "restored", _SEALED_SINCE
        locked.closed_at, locked.lease_until = now, None
        locked.save()
    return True


def _close(donor: Donor, now: datetime) -> None:
    """Close what the donor's current decision does not cover, as the act would have.

    Releases that the ledger revoked are closed before.
    """
    with transaction.atomic():
        consent.locks.lock_exclusive(donor.pk)
        standing = consent.selectors.current(donor)
        assert standing is not None, "one of the donor's decisions was replayed"
        if standing.act in ("resumed", "changed"):
            closing.reopen_after_pause(consent=standing, now=now)
        closing.close_uncovered(consent=standing, now=now)


def _erasures(tombstones: int, now: datetime) -> Iterator[Finding]:
    """Hold everything if the ledger has more erasures than tombstones were restored.

    No entry says who was erased; `replay_erasures` erases donors with a tombstone. The
    rows of the erasures are made again, so that the same ones are reported only once.
    """
    known = set(Erasure.objects.values_list("event", flat=True))
    since = [
        entry.event
        for entry in ledger.opened.walk_log("subject.erased")
        if entry.event not in known
    ]
    if len(since) > tombstones:
        finding = Finding(
            code="erasure-lost",
            message=f"the tables lack {len(since)} erasures of the ledger, and only "
            f"{tombstones} tombstones were restored: it is unknown who else was erased",
        )
        holds.place(code=HoldCode.LOST, findings=[finding], now=now)
        yield finding
    times = ledger.selectors.entries_by_event(since)
    Erasure.objects.bulk_create(
        Erasure(
            stage=ErasureStage.DONE,
            event=event,
            asked_at=times[event].time or now,
            done_at=times[event].time or now,
        )
        for event in since
    )
