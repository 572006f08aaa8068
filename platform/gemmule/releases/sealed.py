"""Hold the rows of a release against its seal, before a file of it is opened.

The ledger's entry says the digest of the manifest; the manifest says which files the
release has and until when the IRB allowed them. A row that says more was edited.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

import ledger.selectors
from gemmule.releases import storage
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seal:
    """What a manifest says; `files` holds the name and SHA-256 of each."""

    release: str
    request: str
    last_day: date
    files: frozenset[tuple[str, str]]


class _SealBroken(Exception):
    """The row's manifest is not the one of the entry that the row names."""


def check(release: Release, file: ReleaseFile, *, today: date) -> None:
    """Raise DeliveryRefused unless release and file are as they were sealed.

    The entry of the release must be on the ledger. Five queries, the first time that a
    process is asked for a release; none after that.
    """
    try:
        seal = _seal(release.pk, release.event)
    except _SealBroken:
        differing = ["manifest"]
    else:
        same = {
            "release": seal.release == release.accession,
            "request": seal.request == release.request.accession,
            "last day": today <= seal.last_day,
            "file": (file.name, file.sha256_cipher) in seal.files,
            "path": storage.is_in_its_place(file),
        }
        differing = [name for name, is_same in same.items() if not is_same]
    if differing:
        logger.error(
            "release %s differs from its seal in: %s",
            release.accession,
            ", ".join(differing),
        )
        raise DeliveryRefused(
            f"what the database holds of release {release.accession} is not what was "
            "sealed on the ledger, so nothing is handed out; tell the IRB",
            code="rows-altered",
            title="This release is not as it was sealed",
            release=release.accession,
        )


@lru_cache(maxsize=1024)
def _seal(release_id: int, event: UUID) -> _Seal:
    entry = ledger.selectors.entry(event)
    content = Release.objects.values_list("manifest", flat=True).get(pk=release_id)
    digest = hashlib.sha256(bytes(content or b"")).hexdigest()
    if entry.type != "data.released" or entry.pub.get("manifest_sha256") != digest:
        raise _SealBroken
    said = json.loads(bytes(content or b""))["manifest"]
    return _Seal(
        release=said["release"],
        request=said["request"],
        last_day=date.fromisoformat(said["decision"]["expires_on"]),
        files=frozenset(
            (file["name"], file["sha256_cipher"]) for file in said["files"]
        ),
    )
