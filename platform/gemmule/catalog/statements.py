"""What is signed for a dataset, and what the ledger keeps of it."""

import json
from typing import Any

from gemmule.accounts.models import User
from gemmule.catalog import selectors
from gemmule.catalog.models import Dataset


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
        "map_sha256": dataset.map_sha256,
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
