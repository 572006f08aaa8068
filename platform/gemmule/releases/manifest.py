r"""The manifest of a release: what was cut, for whom, under which consents.

Canonical JSON (RFC 8785) `{"manifest": {...}, "signature": {...}}`. The signature
is Ed25519 over `b"gemmule/manifest/v1\\0"` and the canonical bytes of `manifest`.
Its SHA-256 stands in the ledger entry `data.released`, beside the cohort root.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

import ledger.selectors
import ledger.services
from consent import diseases, duo
from consent.models import Consent
from consent.policy import RULES_VERSION
from gemmule.access.expectation import expectation
from gemmule.access.purposes import full_purpose
from gemmule.access.selectors import request_sha256
from gemmule.releases import emptiness, signing
from gemmule.releases.cohort import Included
from gemmule.releases.models import Release
from genomics.job import FileDigest
from ledger.tlog.hashing import leaf_hash, root_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What the child processes made: digests, counts, versions."""

    files: tuple[FileDigest, ...]
    records_out: int
    genotypes_withheld: int
    records_withheld: int
    software: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The signed bytes as delivered and the two digests the ledger carries.

    `commitments` are those of the samples, in order of their names.
    """

    content: bytes
    sha256: str
    cohort_root: str
    commitments: tuple[bytes, ...]


def compose(
    *,
    release: Release,
    members: Sequence[Included],
    cut: Cut,
    ledger_size: int,
    now: datetime,
) -> Manifest:
    """Return the signed manifest of a release that cites the ledger at a size."""
    commitments = sample_commitments(release, members)
    cohort_root = root_hash([leaf_hash(item) for item in commitments])
    request = release.request
    body: dict[str, Any] = {
        "v": 1,
        "release": release.accession,
        "request": request.accession,
        "request_sha256": request_sha256(request),
        "project": request.project.accession,
        "purpose": full_purpose(request).to_json(),
        "decision": {
            "event": str(request.event_decided),
            "expires_on": request.expires_on.isoformat()
            if request.expires_on
            else None,
        },
        # By which rules and ontologies every donor was decided over.
        "versions": {
            "rules": RULES_VERSION,
            "duo": duo.VERSION,
            "mondo": diseases.VERSION,
        },
        "dataset": request.dataset.accession,
        "build": request.dataset.build,
        "regions": request.regions,
        "samples": len(members),
        "commitments": [_b64(item) for item in commitments],
        "cohort_root": _b64(cohort_root),
        "ledger_size": ledger_size,
        "records": cut.records_out,
        "genotypes_withheld": cut.genotypes_withheld,
        "records_withheld": cut.records_withheld,
        "files": [
            {
                "name": file.name,
                "role": file.role,
                "sha256_plain": file.sha256_plain,
                "sha256_cipher": file.sha256_cipher,
                "size_bytes": file.size_bytes,
                "segments": file.segments,
            }
            for file in cut.files
        ],
        "recipient_key": release.key.fingerprint,
        "software": cut.software,
        "sealed_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if not cut.records_out:
        body["empty_because"] = emptiness.codes(
            records_withheld=cut.records_withheld,
            is_outside=expectation(request).is_empty,
        )
    content = rfc8785.dumps({"manifest": body, "signature": signing.sign(body)})
    return Manifest(
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        cohort_root=_b64(cohort_root),
        commitments=tuple(commitments),
    )


def sample_commitments(release: Release, members: Sequence[Included]) -> list[bytes]:
    """Return, in order of sample name, one salted commitment (32 B) per sample.

    It binds the sample to the entry of the consent that covered it and to the
    verdict; without the donor's key it is noise.
    """
    return ledger.services.commit_for_subjects(
        context=release.event.bytes,
        bodies=list(
            zip(
                [one.subject for one in members],
                statements(
                    release, [(one.sample_name, one.consent) for one in members]
                ),
                strict=True,
            )
        ),
    )


def statements(
    release: Release, samples: Sequence[tuple[str | None, Consent | None]]
) -> list[dict[str, str | None]]:
    """Return what the commitment of each donor binds: (sample name, consent).

    A donor who is left out has no name. The commitment of the consent's own entry
    stands beside its event: an entry is known by it to who has no database.
    """
    entries = ledger.selectors.entries_by_event(
        [consent.event for _, consent in samples if consent is not None]
    )
    found: list[dict[str, str | None]] = []
    for name, consent in samples:
        entry = entries.get(consent.event) if consent is not None else None
        found.append(
            {
                "release": release.accession,
                "sample": name,
                "consent": str(consent.event) if consent is not None else None,
                "commit": _b64(entry.commit) if entry is not None else None,
                "verdict": "exclude" if name is None else "permit",
            }
        )
    return found


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
