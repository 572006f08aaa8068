"""What makes a dossier provable without this site: openings, receipts, all donors.

Reads only, but for the entry that says who took it. For every mapped donor of the
dataset, in the release or not, the opening of her place among the commitments, and the
ledger entry and opening of the consent that stood: from these `gemmule verify release
--dossier` makes every decision again. Donors have no names here.
"""

import base64
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction

import consent.selectors
import ledger.evidence
import ledger.services
from consent.models import Consent, Donor
from gemmule.access.models import Resolution, Review, ReviewDecision
from gemmule.access.permissions import IRB_ROLES, is_member
from gemmule.access.selectors import asked
from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role
from gemmule.audit.errors import NotYetPublished
from gemmule.catalog.models import Sample
from gemmule.releases import manifest
from gemmule.releases.models import Erasure, ErasureStage, Release, ReleaseDonor
from ledger import commitments
from ledger.errors import EntryNotFound
from ledger.evidence import Evidence
from ledger.tlog import canonical

_AT_ONCE = 1000

# A donor's place: what opens it, what it says, and the consent it speaks of.
_Place = tuple[bytes, Mapping[str, Any], Consent | None]


def take(*, user: User, release: Release, now: datetime) -> dict[str, Any]:
    """Return the proof of a release, and leave on the ledger that it was taken.

    For the IRB alone: it opens what every donor of the dataset has chosen. Raises
    NotAllowed, NotYetPublished.
    """
    check_role(user, *IRB_ROLES)
    if is_member(user, release.request.project):
        raise NotAllowed(
            "you are in the project that has this release: somebody else of the IRB "
            "must take its dossier"
        )
    if release.manifest is None or release.account is None:
        raise NotYetPublished(
            f"release {release.accession} is not sealed, so there is nothing to prove"
        )
    try:
        found = _assemble(release)
    except EntryNotFound:
        raise NotYetPublished(
            "no published checkpoint covers this release yet; try again in a moment"
        ) from None
    with transaction.atomic():
        ledger.services.append(
            type="audit.viewed",
            pub={
                "dataset": release.request.dataset.accession,
                "manifest_sha256": release.manifest_sha256,
                "reason": "dossier",
            },
            body={"release": release.accession, "viewer": str(user.pk)},
            event=uuid.uuid4(),
            now=now,
        )
    return found


def _assemble(release: Release) -> dict[str, Any]:
    said = json.loads(bytes(release.manifest or b""))["manifest"]
    account = json.loads(bytes(release.account or b""))
    places = [base64.b64decode(one) for one in said["commitments"]]
    outside = sorted(
        set(map(base64.b64decode, account["facts"]["donors"])) - set(places)
    )
    opened = {
        **_included(release),
        **_left_out(release, set(outside), account["facts"]["chosen_size"]),
    }
    review = release.request.reviews.get(decision=ReviewDecision.APPROVE)
    consents = [one.event for _, _, one in opened.values() if one is not None]
    erased: list[UUID] = []
    if len(opened) < len(places) + len(outside):
        # That places open no more is believed where people were erased since.
        erased = list(
            Erasure.objects.filter(stage__in=[ErasureStage.WIPE, ErasureStage.DONE])
            .order_by("asked_at")
            .values_list("event", flat=True)
        )
    found = ledger.evidence.gather([release.event, review.event, *consents, *erased])
    return {
        "v": 1,
        "note": found.note.decode(),
        "released": _entry(found, release.event),
        "account": account,
        "asked": asked(release.request),
        "review": _review(found, review),
        "resolved": _resolved(review),
        "erased": [_located(found, event) for event in erased],
        "included": [_place(opened.get(one), found) for one in places],
        "left_out": [
            {"commitment": _b64(one), "opening": _place(opened.get(one), found)}
            for one in outside
        ],
    }


def _included(release: Release) -> dict[bytes, _Place]:
    rows = ReleaseDonor.objects.filter(
        release=release, donor__erased_at=None
    ).select_related("donor", "consent")
    return dict(
        _commitments(
            release,
            [(row.donor.subject, row.sample_name, row.consent) for row in rows],
        )
    )


def _left_out(release: Release, wanted: set[bytes], size: int) -> dict[bytes, _Place]:
    """Return the places of those left out, as their consents stood at that size.

    Those who are mapped today first; then, as maps change, everybody else.
    """
    found: dict[bytes, _Place] = {}
    mapped = Sample.objects.filter(dataset=release.request.dataset).values("donor")
    donors = Donor.objects.filter(erased_at=None).order_by("pk")
    for some in (donors.filter(pk__in=mapped), donors.exclude(pk__in=mapped)):
        for batch in _batches(some.values_list("pk", "subject").iterator()):
            if len(found) == len(wanted):
                return found
            standing = consent.selectors.standing_at(
                [donor for donor, _ in batch], tree_size=size
            )
            rows: list[tuple[UUID, str | None, Consent | None]] = [
                (subject, None, standing.get(donor)) for donor, subject in batch
            ]
            for commitment, place in _commitments(release, rows):
                if commitment in wanted:
                    found[commitment] = place
    return found


def _commitments(
    release: Release, rows: list[tuple[UUID, str | None, Consent | None]]
) -> Iterator[tuple[bytes, _Place]]:
    keys = ledger.evidence.sample_keys(
        context=release.event.bytes, subjects=[subject for subject, _, _ in rows]
    )
    statements = manifest.statements(release, [(name, one) for _, name, one in rows])
    for (subject, _, one), statement in zip(rows, statements, strict=True):
        if subject in keys:  # Else she was erased a moment ago.
            key = keys[subject]
            commitment = commitments.commit(key, canonical.write(statement))
            yield commitment, (key, statement, one)


def _place(place: _Place | None, found: Evidence) -> dict[str, Any] | None:
    if place is None:
        return None
    key, statement, one = place
    return {
        "key": _b64(key),
        "statement": dict(statement),
        "consent": None if one is None else _entry(found, one.event),
    }


def _entry(found: Evidence, event: UUID) -> dict[str, Any]:
    opening = found.openings.get(event)
    return {
        **_located(found, event),
        "opening": None if opening is None else json.loads(opening.encode()),
    }


def _located(found: Evidence, event: UUID) -> dict[str, Any]:
    located = found.entries[event]
    return {
        "entry": _b64(located.entry),
        "index": located.index,
        "path": [_b64(one) for one in located.path],
    }


def _review(found: Evidence, review: Review) -> dict[str, Any]:
    return {
        **_located(found, review.event),
        "event": str(review.event),
        "statement": bytes(review.statement).decode(),
    }


def _resolved(review: Review) -> list[list[str]]:
    """Return the clauses that the approval resolved, as its statement binds them."""
    rows = Resolution.objects.filter(review=review).order_by("consent_id", "code")
    return [[str(row.consent_id), row.code, row.rules] for row in rows]


def _batches(
    donors: Iterable[tuple[UUID, UUID]],
) -> Iterator[list[tuple[UUID, UUID]]]:
    left = iter(donors)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
