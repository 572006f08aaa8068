"""Hold the donors of a release against the commitments it was sealed with.

A donor who was erased since has no row and no key: her place in the manifest stays,
opens no more, and is counted in `Release.donors_erased`. Everybody else has to open
one of the other places, and the places to give the root that is on the ledger.
"""

import base64
from collections.abc import Mapping
from typing import Any

import ledger.errors
from gemmule.releases import manifest
from gemmule.releases.cohort import Included
from gemmule.releases.models import Release, ReleaseDonor
from ledger.tlog.hashing import leaf_hash, root_hash


class SamplesDiffer(Exception):
    """The donors kept for a release are not those it was sealed with."""


def check(release: Release, said: Mapping[str, Any], cohort_root: object) -> int:
    """Return how many samples opened; raise SamplesDiffer where they do not fit.

    `said` is the manifest, `cohort_root` (base64) what the ledger says.
    """
    places = [base64.b64decode(one) for one in said["commitments"]]
    root = base64.b64encode(root_hash([leaf_hash(one) for one in places])).decode()
    if not root == said["cohort_root"] == cohort_root:
        raise SamplesDiffer("The root of the samples is not the one on the ledger.")
    rows = list(
        ReleaseDonor.objects.filter(release=release)
        .select_related("donor", "consent")
        .order_by("sample_name")
    )
    # Those who are being erased have lost their keys before their rows.
    staying = [_member(row) for row in rows if row.donor.erased_at is None]
    try:
        opened = manifest.sample_commitments(release, staying)
    except ledger.errors.SubjectUnknown as error:
        raise SamplesDiffer("A donor has no key, and was not erased.") from error
    gone = release.donors_erased + len(rows) - len(staying)
    # In their order, which is that of the manifest.
    remaining = iter(places)
    if len(opened) + gone != len(places) or not all(one in remaining for one in opened):
        raise SamplesDiffer("The samples kept do not open the manifest's commitments.")
    return len(opened)


def _member(row: ReleaseDonor) -> Included:
    return Included(
        donor_id=row.donor_id,
        subject=row.donor.subject,
        consent=row.consent,
        source_name="",
        sample_name=row.sample_name,
        withheld=(),
        expires_on=None,
    )
