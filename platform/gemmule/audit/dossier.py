"""All about one release on one page: request, decision, consents, digests, downloads.

Reads only. Donors appear by the release's own sample names; who they are is not
known here. Whether it all fits together is the business of `verification`.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import ledger.selectors
from gemmule.access.models import Review
from gemmule.releases.models import Download, Release, ReleaseFile
from ledger.selectors import EntryView


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConsent:
    """One sample of a release and the consent that covered it at the cited index."""

    sample_name: str
    permission: str
    modifiers: tuple[str, ...]
    act: str
    entry: EntryView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened to a release, with its entry where there is one."""

    at: datetime
    what: str
    by: str
    entry: EntryView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What an auditor reads about a release; every list is in order."""

    release: Release
    reviews: list[Review]
    samples: list[SampleConsent]
    permissions: Mapping[str, int]
    files: list[ReleaseFile]
    downloads: list[Download]
    entry: EntryView | None
    timeline: list[Moment]


def dossier(release: Release) -> Dossier:
    """Gather the dossier of a release; a dozen queries, whatever its size."""
    request = release.request
    reviews = list(request.reviews.select_related("reviewer").order_by("created_at"))
    donors = list(release.donors.select_related("consent").order_by("sample_name"))
    downloads = list(
        Download.objects.filter(file__release=release)
        .select_related("file", "user")
        .order_by("started_at")
    )
    events: list[UUID | None] = [
        request.event_submitted,
        *(review.event for review in reviews),
        release.event,
        release.event_revoked,
        *(download.event for download in downloads),
        *(donor.consent.event for donor in donors),
    ]
    entries = ledger.selectors.entries_by_event([event for event in events if event])
    samples = [
        SampleConsent(
            sample_name=donor.sample_name,
            permission=donor.consent.terms.get("permission") or "",
            modifiers=tuple(sorted(donor.consent.terms.get("modifiers", {}))),
            act=donor.consent.act,
            entry=entries.get(donor.consent.event),
        )
        for donor in donors
    ]
    return Dossier(
        release=release,
        reviews=reviews,
        samples=samples,
        # A plain dict: a template that looks up `.items` finds 0 in a Counter.
        permissions=dict(
            Counter(sample.permission for sample in samples).most_common()
        ),
        files=list(release.files.order_by("name")),
        downloads=downloads,
        entry=entries.get(release.event),
        timeline=_timeline(release, reviews, downloads, entries),
    )


def export(found: Dossier, *, proof: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the dossier as JSON values, for the IRB's own files.

    `proof` is what `audit.proof` made, for who may have it.
    """
    release = found.release
    return {
        "kind": "gemmule/dossier",
        "v": 1,
        "proof": proof,
        "release": release.accession,
        "state": release.state,
        "request": release.request.accession,
        "project": release.request.project.accession,
        "dataset": release.request.dataset.accession,
        "purpose": release.request.purpose,
        "manifest_sha256": release.manifest_sha256,
        "ledger_size": release.ledger_size,
        "reviews": [
            {
                "decision": review.decision,
                "reviewer": review.reviewer.name,
                "reason": review.reason,
                "expires_on": review.expires_on.isoformat()
                if review.expires_on
                else None,
                "signed_at": review.created_at.isoformat(),
                "statement_sha256": hashlib.sha256(bytes(review.statement)).hexdigest(),
            }
            for review in found.reviews
        ],
        "samples": [
            {
                "name": sample.sample_name,
                "permission": sample.permission,
                "modifiers": list(sample.modifiers),
                "consent_seq": sample.entry.seq if sample.entry else None,
            }
            for sample in found.samples
        ],
        "files": [
            {
                "name": file.name,
                "sha256_plain": file.sha256_plain,
                "sha256_cipher": file.sha256_cipher,
                "size_bytes": file.size_bytes,
            }
            for file in found.files
        ],
        "downloads": [
            {
                "file": download.file.name,
                "by": download.user.email,
                "from_byte": download.start,
                "to_byte": download.stop,
                "bytes_sent": download.bytes_sent,
                "outcome": download.outcome,
                "at": download.started_at.isoformat(),
            }
            for download in found.downloads
        ],
    }


def _timeline(
    release: Release,
    reviews: list[Review],
    downloads: list[Download],
    entries: Mapping[UUID, EntryView],
) -> list[Moment]:
    request = release.request

    def moment(
        at: datetime | None, what: str, by: str, event: UUID | None
    ) -> list[Moment]:
        entry = entries.get(event) if event else None
        return [Moment(at=at, what=what, by=by, entry=entry)] if at else []

    submitted_by = request.submitted_by.name if request.submitted_by else ""
    recipient = release.recipient.name
    found = moment(
        request.submitted_at, "Request submitted", submitted_by, request.event_submitted
    )
    for review in reviews:
        found += moment(
            review.created_at,
            review.get_decision_display(),
            review.reviewer.name,
            review.event,
        )
    found += moment(release.created_at, "Release asked for", recipient, None)
    found += moment(release.sealed_at, "Sealed", "", release.event)
    found += moment(release.available_at, "Ready to download", "", None)
    for download in downloads:
        if download.event:
            found += moment(
                download.finished_at,
                f"{download.file.name} delivered",
                download.user.name,
                download.event,
            )
    found += moment(
        release.closed_at, release.get_state_display(), "", release.event_revoked
    )
    return sorted(found, key=lambda one: one.at)
