"""Build a sealed release a second time, and compare what comes out with its manifest.

From the donors, consents and stores it was sealed with, in a folder that is gone
afterwards and for a key that nobody has. The release itself is only read.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import consent.reconciliation
import genomics.child
import ledger.selectors
from consent.errors import ConsentError
from gemmule.access.selectors import request_sha256
from gemmule.catalog.models import DataFile, Sample
from gemmule.catalog.selectors import accepted_files
from gemmule.catalog.storage import store_at_hand
from gemmule.releases import samples, storage, work
from gemmule.releases.cohort import Included, sample_name, withheld_regions
from gemmule.releases.errors import RebuildRefused
from gemmule.releases.models import Release, ReleaseDonor
from gemmule.releases.samples import SamplesDiffer
from genomics.crypt4gh import keys
from genomics.errors import GenomicsError
from genomics.job import SubsetResult
from ledger.errors import LedgerError

_TIMEOUT_S = 6 * 60 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltFile:
    """A file of the release: its digest inside, as sealed and as it came out now."""

    name: str
    role: str
    sealed: str
    rebuilt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came out, beside what the manifest says.

    `software` holds what differs: version at the seal and now, None where unknown.
    """

    release: str
    files: tuple[RebuiltFile, ...]
    records: tuple[int, int]
    genotypes_withheld: tuple[int, int]
    records_withheld: tuple[int | None, int]  # None: before it was counted
    software: Mapping[str, tuple[str | None, str | None]]

    @property
    def is_same(self) -> bool:
        """Tell whether every file came out as it was sealed."""
        counts = (self.records, self.genotypes_withheld, self.records_withheld)
        return all(one.sealed == one.rebuilt for one in self.files) and all(
            then in (None, now) for then, now in counts
        )


def rebuild(release: Release) -> Rebuilt:
    """Build a release again; raise RebuildRefused where what it needs has changed."""
    if release.manifest is None or release.account is None:
        raise RebuildRefused(
            f"release {release.accession} is not sealed: there is nothing to compare",
            code="not-sealed",
        )
    said = json.loads(bytes(release.manifest))["manifest"]
    facts = json.loads(bytes(release.account))["facts"]
    _check_request(release, said, facts)
    members = _members(release, said)
    sources = _sources(release, facts)
    with _folder() as folder:
        results = [
            _cut(
                release,
                source,
                members,
                folder,
                single=len(sources) == 1,
                # Releases from before it was said have level 1.
                bgzf_level=int(said["software"].get("bgzf_level", "1")),
            )
            for source in sources
        ]
        _check_nobody_left(release, of=len(members))
    return _compared(release, said, results)


def _check_request(
    release: Release, said: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    request = release.request
    dataset = request.dataset
    if (
        said["request_sha256"] != request_sha256(request)
        or said["regions"] != request.regions
    ):
        raise RebuildRefused(
            "the request reads otherwise than when the release was sealed",
            code="request-changed",
        )
    if said["build"] != dataset.build or (
        facts["filter_is_cohort_independent"] != dataset.filter_is_cohort_independent
    ):
        raise RebuildRefused(
            "the dataset is described otherwise than when the release was sealed "
            "(genome build, or whether FILTER depends on the cohort)",
            code="dataset-changed",
        )


def _members(release: Release, said: Mapping[str, Any]) -> list[Included]:
    """Return the donors of the seal, each held against her commitment and consent."""
    rows = list(
        ReleaseDonor.objects.filter(release=release)
        .select_related("donor", "consent")
        .order_by("sample_name")
    )
    _check_nobody_left(release, of=said["samples"])
    try:
        root = ledger.selectors.entry(release.event).pub.get("cohort_root")
        samples.check(release, said, root)
        for row in rows:
            consent.reconciliation.check(row.consent)
    except (SamplesDiffer, ConsentError, LedgerError) as error:
        raise RebuildRefused(
            f"the donors or their consents are not those of the seal: {error}",
            code="consents-changed",
        ) from error
    columns = dict(
        Sample.objects.filter(dataset=release.request.dataset).values_list(
            "donor_id", "source_name"
        )
    )
    key = bytes(release.request.project.pseudonym_key)
    return [_member(release, row, columns.get(row.donor_id), key) for row in rows]


def _member(
    release: Release, row: ReleaseDonor, source_name: str | None, key: bytes
) -> Included:
    withheld = withheld_regions(row.consent.withheld, release.request.dataset.build)
    if source_name is None or sample_name(key, row.donor_id) != row.sample_name:
        raise RebuildRefused(
            "the sample map, or the names of the project's samples, are not those of "
            "the seal",
            code="samples-changed",
        )
    if withheld is None:
        raise RebuildRefused(
            "what a donor keeps back cannot be placed any more: the table of genes is "
            "another one",
            code="samples-changed",
        )
    return Included(
        donor_id=row.donor_id,
        subject=row.donor.subject,
        consent=row.consent,
        source_name=source_name,
        sample_name=row.sample_name,
        withheld=withheld,
        expires_on=None,
    )


def _check_nobody_left(release: Release, *, of: int) -> None:
    """Refuse once somebody in the release is erased, or being erased."""
    staying = ReleaseDonor.objects.filter(release=release, donor__erased_at=None)
    gone = of - staying.count()
    if gone:
        raise RebuildRefused(
            f"{gone} of {of} donors in the release were erased since: without them it "
            "cannot be built again",
            code="donor-erased",
        )


def _sources(release: Release, facts: Mapping[str, Any]) -> list[DataFile]:
    """Return the files of the seal, which must be the same to the byte."""
    there = {file.number: file for file in accepted_files(release.request.dataset)}
    found = []
    for each in facts["files"]:
        file = there.get(each["number"])
        if file is None:
            raise RebuildRefused(
                f"file {each['number']} of the dataset is not there any more",
                code="file-missing",
            )
        if file.sha256_store != each["sha256_store"]:
            raise RebuildRefused(
                f"the store of file {file.number} was rewritten since, as it is when a "
                "donor in it is erased",
                code="store-rewritten",
            )
        found.append(file)
    return found


def _cut(
    release: Release,
    source: DataFile,
    members: list[Included],
    folder: Path,
    *,
    single: bool,
    bgzf_level: int,
) -> SubsetResult:
    _, nobody = keys.generate()
    try:
        with store_at_hand(source) as store:
            job = work.job_for(release, source, store, members, folder, single=single)
            return genomics.child.run(
                dataclasses.replace(
                    job, recipient_public_key=nobody, bgzf_level=bgzf_level
                ),
                on_progress=lambda _: _check_nobody_left(release, of=len(members)),
                timeout_s=_TIMEOUT_S,
                temp_root=storage.scratch(),
            )
    except (GenomicsError, OSError) as error:
        raise RebuildRefused(
            f"file {source.number} could not be cut: {error}", code="cut-failed"
        ) from error


def _compared(
    release: Release, said: Mapping[str, Any], results: Sequence[SubsetResult]
) -> Rebuilt:
    made = {file.name: file.sha256_plain for each in results for file in each.files}
    versions = {name: one for each in results for name, one in each.software.items()}
    then: Mapping[str, str] = said["software"]
    return Rebuilt(
        release=release.accession,
        files=tuple(
            RebuiltFile(
                name=file["name"],
                role=file["role"],
                sealed=file["sha256_plain"],
                rebuilt=made.get(file["name"]),
            )
            for file in said["files"]
        ),
        records=(said["records"], sum(each.records_out for each in results)),
        genotypes_withheld=(
            said["genotypes_withheld"],
            sum(each.genotypes_withheld for each in results),
        ),
        records_withheld=(
            said.get("records_withheld"),
            sum(each.records_withheld for each in results),
        ),
        software={
            name: (then.get(name), versions.get(name))
            for name in sorted({*then, *versions})
            if then.get(name) != versions.get(name)
        },
    )


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards; after a kill, `upkeep` sweeps it.

    As a child's own, it is told by its lock to be in use.
    """
    with tempfile.TemporaryDirectory(
        prefix=genomics.child.PRIVATE_PREFIX, dir=storage.scratch()
    ) as name:
        lock = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(lock)
