"""The account of a release: whom it considered and what it was cut from.

It depends on donors who are not in the release, so no researcher may see it. The
ledger's entry of the release commits to it; the IRB's dossier shows it, and then it can
be told that the donors in the release are all that were permitted.

    {"facts": {...}, "key": "<base64 of 32 bytes>"}      (canonical JSON, RFC 8785)

`facts.donors` holds one commitment for each mapped donor, in or out, sorted: whose each
is stays unknown without the donor's key, and for ever once that is destroyed.
"""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

import rfc8785

import ledger.errors
import ledger.selectors
import ledger.services
from gemmule.catalog.models import DataFile
from gemmule.releases import manifest
from gemmule.releases.cohort import Chosen
from gemmule.releases.errors import ConsentMoved
from gemmule.releases.grounds import Grounds, open_grounds
from gemmule.releases.manifest import Manifest
from gemmule.releases.models import Release
from ledger import commitments


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A choice of donors, and the ledger size below which its consents stand.

    `left_out` are the commitments of those who are not in it, `grounds` what the ledger
    holds of the approval and of those who are.
    """

    chosen: Chosen
    size: int
    left_out: tuple[bytes, ...]
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The bytes that are kept, and the commitment (base64) that the ledger carries."""

    content: bytes
    commitment: str


def consider(release: Release, chosen: Chosen) -> Considered:
    """Hold a choice against the ledger, which was settled just before.

    Raises ConsentMoved for a consent that came in between, or an erasure; RowsDiffer
    where the rows of the approval or of a member's consent are not what it says.
    """
    grounds = open_grounds(release.request, chosen.members)
    size = ledger.selectors.tree_size()
    consents = chosen.consents()
    entries = ledger.selectors.entries_by_event([one.event for one in consents])
    for consent in consents:
        entry = entries.get(consent.event)
        if entry is None or entry.seq is None or entry.seq >= size:
            raise ConsentMoved("a consent came while the donors were chosen")
    outside = [(None, one.consent) for one in chosen.left_out]
    try:
        left_out = ledger.services.commit_for_subjects(
            context=release.event.bytes,
            bodies=list(
                zip(
                    [one.subject for one in chosen.left_out],
                    manifest.statements(release, outside),
                    strict=True,
                )
            ),
        )
    except ledger.errors.SubjectUnknown as error:
        raise ConsentMoved("a donor was erased while the donors were chosen") from error
    return Considered(
        chosen=chosen, size=size, left_out=tuple(left_out), grounds=grounds
    )


def compose(
    *,
    release: Release,
    considered: Considered,
    sealed: Manifest,
    sources: list[DataFile],
) -> Account:
    """Return the account of a release whose manifest is written."""
    chosen = considered.chosen
    donors = sorted([*sealed.commitments, *considered.left_out])
    facts: dict[str, Any] = {
        "release": release.accession,
        "chosen_on": chosen.on.isoformat(),
        "chosen_size": considered.size,
        "first_release": chosen.first_release and chosen.first_release.isoformat(),
        "asked_until": chosen.asked_until and chosen.asked_until.isoformat(),
        "barred_countries": list(chosen.barred_countries),
        # The one thing that a cut depends on and neither manifest nor store says.
        "filter_is_cohort_independent": (
            release.request.dataset.filter_is_cohort_independent
        ),
        "files": [
            {
                "number": file.number,
                "sha256_source": file.sha256_source,
                "sha256_store": file.sha256_store,
            }
            for file in sources
        ],
        "donors": [base64.b64encode(one).decode() for one in donors],
    }
    key = secrets.token_bytes(commitments.KEY_BYTES)
    commitment = commitments.commit(key, rfc8785.dumps(facts))
    return Account(
        content=rfc8785.dumps({"facts": facts, "key": base64.b64encode(key).decode()}),
        commitment=base64.b64encode(commitment).decode(),
    )
