"""What is signed for a dataset, and what the ledger keeps of it."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import ledger.erasure
import ledger.errors
import ledger.opened
import ledger.services
from gemmule.accounts.models import User
from gemmule.catalog import selectors
from gemmule.catalog.errors import RegistrationAltered
from gemmule.catalog.models import Dataset
from ledger.tlog.hashing import leaf_hash, root_hash

# Bytes of each sample's commitment in the body, and the most samples that have them.
_PREFIX = 16
_MOST_PACKED = 600_000


def of_build(dataset: Dataset) -> bytes:
    """Return the bytes a steward signs: the build, and the digests of the files."""
    digests = selectors.accepted_files(dataset).values_list("sha256_source", flat=True)
    statement = {
        "act": "catalog.state_build",
        "build": dataset.build,
        "dataset": dataset.accession,
        "files_sha256": list(digests),
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def of_registration(
    dataset: Dataset, evidence: selectors.BuildEvidence, user: User
) -> dict[str, Any]:
    """Return the detailed body: digests of sources depend on donors, so not public."""
    assert dataset.event is not None, "the event salts the commitments"
    commitments = sample_commitments(dataset, dataset.event)
    root = _root(commitments)
    packed = _packed(commitments) if len(commitments) <= _MOST_PACKED else None
    return {
        "dataset": dataset.accession,
        "title": dataset.title,
        "build": dataset.build,
        "build_evidence": evidence.value,
        "build_statement": dataset.build_statement,
        "samples_root": root,
        # So that the other samples can still be checked after an erasure.
        "samples": packed,
        "map_uploaded_by": dataset.map_uploaded_by_id,
        "map_confirmed_by": dataset.map_confirmed_by_id,
        "published_by": user.pk,
        "files": [
            {
                "number": file.number,
                "sha256_source": file.sha256_source,
                "sha256_store": file.sha256_store,
                "records": file.records,
            }
            for file in selectors.accepted_files(dataset)
        ],
    }


def check_registration(dataset: Dataset) -> None:
    """Raise RegistrationAltered unless the rows are what was registered.

    That is the genome build and whose each sample is. Datasets that were registered
    before single samples could be told apart can be held against their root only while
    no donor of theirs was erased; later they pass. Six queries, and two for each 500
    samples.
    """
    event = dataset.event
    entry = None if event is None else ledger.opened.by_event([event]).get(event)
    if event is None or entry is None or entry.body is None:
        raise RegistrationAltered(dataset.accession, ["event"])
    registered = {"dataset": dataset.accession, "build": dataset.build}
    differing = [
        key for key, value in registered.items() if entry.body.get(key) != value
    ]
    try:
        commitments = sample_commitments(dataset, event)
    except ledger.errors.SubjectUnknown:
        commitments = _without_erased(dataset, event)
    if not _are_registered(commitments, entry.body):
        differing.append("samples")
    if differing:
        raise RegistrationAltered(dataset.accession, differing)


def sample_commitments(dataset: Dataset, event: UUID) -> list[bytes]:
    """Return one salted commitment (32 bytes) for each mapped sample, sorted.

    A plain digest of the map would let whoever knows the other rows try names and ids
    for the last one, and would outlive an erasure.
    """
    samples = dataset.samples.filter(donor__erased_at=None).select_related("donor")
    return sorted(
        ledger.services.commit_for_subjects(
            context=event.bytes,
            bodies=[
                (
                    sample.donor.subject,
                    {"dataset": dataset.accession, "sample": sample.source_name},
                )
                for sample in samples
            ],
        )
    )


def _without_erased(dataset: Dataset, event: UUID) -> list[bytes]:
    """Return the commitments after an erasure, which also removed the samples."""
    try:
        return sample_commitments(dataset, event)
    except ledger.errors.SubjectUnknown as error:
        raise RegistrationAltered(dataset.accession, ["samples"]) from error


def _root(commitments: Sequence[bytes]) -> str:
    """Return the root (base64) over the commitments."""
    return base64.b64encode(
        root_hash([leaf_hash(commitment) for commitment in commitments])
    ).decode()


def _packed(commitments: Sequence[bytes]) -> str:
    """Return the first 16 bytes of each commitment, one behind the other, in base64."""
    return base64.b64encode(
        b"".join(commitment[:_PREFIX] for commitment in commitments)
    ).decode()


def _are_registered(commitments: Sequence[bytes], body: Mapping[str, Any]) -> bool:
    if _root(commitments) == body.get("samples_root"):
        return True
    if body.get("samples") is None:
        return ledger.erasure.has_erased()
    data = base64.b64decode(body["samples"])
    known = {data[at : at + _PREFIX] for at in range(0, len(data), _PREFIX)}
    return all(commitment[:_PREFIX] in known for commitment in commitments)
