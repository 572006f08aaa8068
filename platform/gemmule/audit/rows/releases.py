"""Hold releases, the donors in them and their downloads against the ledger.

Entries are read before rows: what happens meanwhile can only make a row be further on
than its entry, never behind it.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

import ledger.opened
import ledger.selectors
from gemmule.audit.rows.finding import found
from gemmule.releases import samples
from gemmule.releases.models import Download, Erasure, Release, ReleaseState
from gemmule.releases.samples import SamplesDiffer
from ledger.inspection import Finding
from ledger.opened import Opened

_ENDED = {ReleaseState.REVOKED, ReleaseState.SUPERSEDED}
_OPEN = {ReleaseState.SEALED, ReleaseState.AVAILABLE, ReleaseState.SUSPENDED}


def findings() -> Iterator[Finding]:
    """Yield what the rows of releases say otherwise than the ledger."""
    for some in ledger.opened.walk("data.released"):
        rows = Release.objects.select_related("request__dataset").in_bulk(
            [each.event for each in some], field_name="event"
        )
        for each in some:
            yield from _compare(each, rows.get(each.event))
    yield from _erased()
    yield from _revocations()
    yield from _without_entry()
    yield from _not_published()
    yield from _downloads()


def _compare(entry: Opened, row: Release | None) -> Iterator[Finding]:
    if row is None:
        yield found(entry, "release-row-missing", "the release was deleted")
        return
    digest = hashlib.sha256(bytes(row.manifest or b"")).hexdigest()
    if not digest == row.manifest_sha256 == entry.pub.get("manifest_sha256"):
        yield found(
            entry, "release-manifest", f"{row.accession} has another manifest now"
        )
        return
    said: dict[str, Any] = json.loads(bytes(row.manifest or b""))["manifest"]
    here = {
        "release": row.accession,
        "request": row.request.accession,
        "dataset": row.request.dataset.accession,
        "ledger_size": row.ledger_size,
    }
    changed = sorted(key for key, value in here.items() if said[key] != value)
    if entry.body is not None and entry.body.get("recipient") != str(row.recipient_id):
        changed.append("recipient")
    if changed:
        yield found(
            entry,
            "release-row",
            f"the row of {row.accession} differs in: {', '.join(changed)}",
        )
    yield from _compare_files(entry, row, said)
    yield from _compare_donors(entry, row, said)


def _compare_files(
    entry: Opened, row: Release, said: dict[str, Any]
) -> Iterator[Finding]:
    fields = ("name", "role", "sha256_plain", "sha256_cipher", "size_bytes", "segments")
    named = {tuple(file[field] for field in fields) for file in said["files"]}
    kept = set(row.files.values_list(*fields))
    # An erased donor's release may have lost its files; what is there must be named.
    if not kept <= named:
        yield found(
            entry, "release-files", f"{row.accession} has files it was not sealed with"
        )


def _compare_donors(
    entry: Opened, row: Release, said: dict[str, Any]
) -> Iterator[Finding]:
    """Check that the donors of the row are those whose root is on the ledger."""
    try:
        samples.check(row, said, entry.pub.get("cohort_root"))
    except SamplesDiffer as error:
        yield found(entry, "release-donors", f"{row.accession}: {error}")


def _erased() -> Iterator[Finding]:
    """Find releases that lost more donors than people were erased."""
    # An erasure reaches its entry on the ledger after the releases.
    under_way = Erasure.objects.exclude(donor=None).count()
    erased = under_way + sum(len(some) for some in ledger.opened.walk("subject.erased"))
    for row in Release.objects.filter(donors_erased__gt=erased):
        yield Finding(
            code="release-donors",
            message=f"{row.accession} counts {row.donors_erased} erased donors, the "
            f"ledger {erased} people who were",
            event=row.event,
        )


def _revocations() -> Iterator[Finding]:
    """Find releases that were reopened behind the ledger's back."""
    for some in ledger.opened.walk("data.revoked"):
        rows = Release.objects.in_bulk(
            [each.event for each in some], field_name="event_revoked"
        )
        for each in some:
            row = rows.get(each.event)
            if row is None:
                yield found(each, "release-revoked", "no release is revoked by it")
            elif row.state not in _ENDED or (
                row.manifest_sha256 != each.pub.get("manifest_sha256")
            ):
                yield found(
                    each,
                    "release-revoked",
                    f"{row.accession} was revoked here, its row is "
                    f"{row.get_state_display().lower()}",
                )


def _without_entry() -> Iterator[Finding]:
    """Find sealed, open and revoked releases of which the ledger knows nothing."""
    sealed = Release.objects.filter(
        Q(state__in=_OPEN) | ~Q(manifest_sha256="") | Q(available_at__isnull=False)
    )
    events = sealed.values_list("event", flat=True)
    for event in ledger.opened.unknown(events, "data.released"):
        row = Release.objects.get(event=event)
        yield Finding(
            code="release-without-entry",
            message=f"{row.accession} is {row.get_state_display().lower()}, and no "
            "entry of the ledger says that it was released",
            event=event,
        )
    revoked = Release.objects.filter(event_revoked__isnull=False)
    revocations = revoked.values_list("event_revoked", flat=True)
    for event in ledger.opened.unknown(revocations, "data.revoked"):
        row = Release.objects.get(event_revoked=event)
        yield Finding(
            code="release-revoked",
            message=f"{row.accession} is {row.get_state_display().lower()}, and its "
            "revocation is not on the ledger",
            event=event,
        )


def _not_published() -> Iterator[Finding]:
    """Find releases that were opened before a signed checkpoint covered them."""
    rows = Release.objects.filter(state=ReleaseState.AVAILABLE)
    by_event = dict(rows.values_list("event", "accession"))
    for event, view in ledger.selectors.entries_by_event(by_event).items():
        if view.state != "published":
            yield Finding(
                code="release-too-early",
                message=f"{by_event[event]} is available, and no signed checkpoint "
                "covers its entry",
                seq=view.seq,
                event=event,
            )


def _downloads() -> Iterator[Finding]:
    for some in ledger.opened.walk("data.delivered"):
        rows = Download.objects.select_related("file__release").in_bulk(
            [each.event for each in some], field_name="event"
        )
        for each in some:
            row = rows.get(each.event)
            if row is None:
                yield found(each, "download-row-missing", "the download was deleted")
            elif changed := _changed_download(each, row):
                yield found(
                    each,
                    "download-row",
                    f"the row of the download differs in: {', '.join(changed)}",
                )
    named = Download.objects.filter(event__isnull=False)
    events = named.values_list("event", flat=True)
    for event in ledger.opened.unknown(events, "data.delivered"):
        yield Finding(
            code="download-without-entry",
            message=f"event {event}: a download was written without the ledger",
            event=event,
        )
    # Whoever gets the last byte of a file for the first time is on the ledger.
    finished = Download.objects.filter(outcome="complete", stop=F("file__size_bytes"))
    on_ledger = Download.objects.filter(
        event__isnull=False, file=OuterRef("file"), user=OuterRef("user")
    )
    for row in finished.filter(~Exists(on_ledger)).select_related("file__release"):
        yield Finding(
            code="download-without-entry",
            message=f"{row.file.name} of {row.file.release.accession} was handed out "
            "whole, and no entry of the ledger says so",
        )


def _changed_download(entry: Opened, row: Download) -> list[str]:
    release = row.file.release
    changed = []
    if entry.pub.get("manifest_sha256") != release.manifest_sha256:
        changed.append("manifest_sha256")
    if entry.body is not None:
        here = {
            "release": release.accession,
            "file": row.file.name,
            "recipient": str(row.user_id),
        }
        changed += [key for key, value in here.items() if entry.body.get(key) != value]
    return sorted(changed)
