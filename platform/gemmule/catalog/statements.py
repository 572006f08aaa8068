"""What is signed for a dataset, and what the ledger keeps of it."""

import base64
import json
from typing import Any

import ledger.services
from gemmule.accounts.models import User
from gemmule.catalog import selectors
from gemmule.catalog.models import Dataset
from ledger.tlog.hashing import leaf_hash, root_hash


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
    return {
        "dataset": dataset.accession,
        "title": dataset.title,
        "build": dataset.build,
        "build_evidence": evidence.value,
        "build_statement": dataset.build_statement,
        "samples_root": _samples_root(dataset),
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


def _samples_root(dataset: Dataset) -> str:
    """Return the root (base64) over one salted commitment for each mapped sample.

    A plain digest of the map would let whoever knows the other rows try names and ids
    for the last one, and would outlive an erasure.
    """
    assert dataset.event is not None, "the event salts the commitments"
    samples = dataset.samples.filter(donor__erased_at=None).select_related("donor")
    commitments = ledger.services.commit_for_subjects(
        context=dataset.event.bytes,
        bodies=[
            (
                one.donor.subject,
                {"dataset": dataset.accession, "sample": one.source_name},
            )
            for one in samples
        ],
    )
    root = root_hash([leaf_hash(one) for one in sorted(commitments)])
    return base64.b64encode(root).decode()
