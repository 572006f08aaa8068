"""What is to be cut for a release: a job of a child process for each file.

Everything that the plaintext of a release depends on stands in these jobs.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

import gemmule.catalog.erasure
from gemmule.catalog.models import DataFile
from gemmule.catalog.selectors import accepted_files
from gemmule.catalog.storage import store_at_hand
from gemmule.releases.cohort import Included
from gemmule.releases.errors import BuildImpossible, SourceMoved
from gemmule.releases.models import Release
from gemmule.releases.withholding import is_closed_to_all
from genomics.job import SubsetJob


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A file of a dataset, and the job that makes it one of a release."""

    source: DataFile
    job: SubsetJob


def work_of(release: Release, members: list[Included], folder: Path) -> list[Work]:
    """Return what is to be cut for a release: a job for each file of its dataset."""
    sources = list(accepted_files(release.request.dataset))
    if not sources:
        raise BuildImpossible("the dataset holds no accepted file", code="no-files")
    return [
        Work(
            source=source,
            # Where the store can be read is said once it is at hand.
            job=job_for(
                release, source, folder, members, folder, single=len(sources) == 1
            ),
        )
        for source in sources
    ]


@contextmanager
def job_at_hand(one: Work) -> Iterator[SubsetJob]:
    """Yield the job of a file with its store where this machine can read it.

    A store that is gone was rewritten, or is lost.
    """
    try:
        with store_at_hand(one.source) as store:
            yield dataclasses.replace(one.job, source=store)
    except FileNotFoundError as error:
        if not gemmule.catalog.erasure.is_current(one.source):
            raise SourceMoved("a store was rewritten during the build") from error
        raise BuildImpossible(
            f"file {one.source.number} of the dataset is gone from the storage; tell "
            "the administrator",
            code="store-missing",
        ) from error


def job_for(
    release: Release,
    source: DataFile,
    store: Path,
    members: list[Included],
    folder: Path,
    *,
    single: bool,
) -> SubsetJob:
    """Return what a child process is to do with one file of the dataset.

    `store` is where it lies just now, `single`: the dataset has no other file.
    Everything that the plaintext depends on stands in it.
    """
    name = release.accession if single else f"{release.accession}.{source.number}"
    regions = release.request.regions
    return SubsetJob(
        source=store,
        samples=tuple((one.source_name, one.sample_name) for one in members),
        build=release.request.dataset.build,
        regions=None if regions is None else tuple((c, s, e) for c, s, e in regions),
        # Who closes a region is masked there first: so what she alone carries is not
        # even counted among the records that others lose.
        withheld={one.source_name: one.withheld for one in members if one.withheld},
        excluded_regions=tuple(
            sorted(
                {
                    span
                    for one in members
                    if is_closed_to_all(one.consent.withheld)
                    for span in one.withheld
                }
            )
        ),
        filter_is_cohort_independent=release.request.dataset.filter_is_cohort_independent,
        recipient_public_key=bytes(release.key.public_key),
        output_dir=folder,
        name=name,
        source_sha256=source.sha256_store,
        columns_sha256=source.sha256_columns or None,
        bgzf_level=settings.RELEASE_BGZF_LEVEL,
        records_total=source.records,
    )
