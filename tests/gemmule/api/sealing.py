"""Seal releases without cutting a file: for tests of what happens to them after.

Consents, manifest, ledger entry and gate are the real ones; the bytes are made up,
because no test here looks into them.
"""

import hashlib
from datetime import datetime

import ledger.services
from gemmule.releases import account, cohort, seal, storage, upkeep
from gemmule.releases.manifest import Cut
from gemmule.releases.models import Release, ReleaseState
from genomics.job import FileDigest

CONTENT = bytes(range(256)) * 40


def seal_release(
    release: Release,
    *,
    now: datetime,
    published: bool = True,
    content: bytes = CONTENT,
) -> Release:
    """Return the release sealed with one file, and available if it is published."""
    release.state = ReleaseState.BUILDING
    release.fencing_token = 1
    release.save()
    ledger.services.settle(now=now)
    chosen = cohort.choose(release.request, on=now.date())
    folder = storage.staging_dir(release, 1)
    name = f"{release.accession}.vcf.gz.c4gh"
    (folder / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = FileDigest(
        name=name,
        role="variants",
        sha256_plain="22" * 32,
        sha256_cipher=digest,
        size_plain=len(content),
        size_bytes=len(content),
        segments=1,
    )
    sealed = seal.seal(
        release=release,
        token=1,
        considered=account.consider(release, chosen),
        cut=Cut(
            files=(file,),
            records_out=3,
            genotypes_withheld=0,
            records_withheld=0,
            software={},
        ),
        folder=folder,
        now=lambda: now,
    )
    if published:
        upkeep.settle(now=now)
        sealed.refresh_from_db()
    return sealed
