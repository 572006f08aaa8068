"""Read datasets, their files and samples.

Whether a person may read them is asked where a function takes one; nothing here
returns a genotype.
"""

from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Q, QuerySet

import genomics.builds
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.catalog import permissions
from gemmule.catalog.models import (
    DataFile,
    DataFileState,
    Dataset,
    DatasetState,
    Sample,
)

UNSETTLED = (DataFileState.UPLOADED, DataFileState.CHECKING)


class BuildEvidence(StrEnum):
    """By what the genome build of a dataset is known."""

    LENGTHS = "lengths"
    STATEMENT = "statement"


def published() -> QuerySet[Dataset]:
    """Return the datasets that anyone may know of, by accession."""
    return Dataset.objects.filter(state=DatasetState.PUBLISHED)


def published_dataset(accession: str) -> Dataset:
    """Return one published dataset; a draft is as unknown as one that never was."""
    dataset = published().filter(accession=accession).first()
    if dataset is None:
        raise NotFound(f"there is no dataset {accession[:12]}")
    return dataset


def for_steward(user: User) -> QuerySet[Dataset]:
    """Return every dataset for a steward's list, newest first, with file counts.

    Adds `accepted_count`, `unsettled_count` and `refused_count`; one query.
    """
    permissions.check_is_steward(user)
    return (
        Dataset.objects.select_related("steward")
        .annotate(
            accepted_count=Count("files", Q(files__state=DataFileState.ACCEPTED)),
            unsettled_count=Count("files", Q(files__state__in=UNSETTLED)),
            refused_count=Count("files", Q(files__state=DataFileState.REFUSED)),
        )
        .order_by("-created_at")
    )


def dataset_for_steward(user: User, accession: str) -> Dataset:
    """Return one dataset for a steward, with the people who worked on it."""
    permissions.check_is_steward(user)
    dataset = (
        Dataset.objects.select_related("steward", "map_uploaded_by", "map_confirmed_by")
        .filter(accession=accession)
        .first()
    )
    if dataset is None:
        raise NotFound(f"there is no dataset {accession[:12]}")
    return dataset


def file_for_steward(user: User, dataset: Dataset, number: int) -> DataFile:
    """Return one file of a dataset for a steward."""
    permissions.check_is_steward(user)
    file = dataset.files.filter(number=number).first()
    if file is None:
        raise NotFound(f"there is no file {number} in dataset {dataset.accession}")
    return file


def files_of(dataset: Dataset) -> QuerySet[DataFile]:
    """Return the files by number, without their long lists of sample names."""
    return dataset.files.defer("sample_names").order_by("number")


def accepted_files(dataset: Dataset) -> QuerySet[DataFile]:
    """Return the files whose check succeeded, by number."""
    return dataset.files.filter(state=DataFileState.ACCEPTED).order_by("number")


def is_last_accepted(file: DataFile) -> bool:
    """Return whether without this file the dataset would hold no accepted one."""
    if file.state != DataFileState.ACCEPTED:
        return False
    return not accepted_files(file.dataset).exclude(pk=file.pk).exists()


def is_settled(dataset: Dataset) -> bool:
    """Return whether no file of the dataset waits for its check or is in it."""
    return not dataset.files.filter(state__in=UNSETTLED).exists()


def sample_names(dataset: Dataset) -> list[str]:
    """Return the samples that every accepted file holds, in the first file's order."""
    first = accepted_files(dataset).first()
    return [] if first is None else list(first.sample_names)


def samples_of(dataset: Dataset) -> QuerySet[Sample]:
    """Return the samples that have a donor, in the order of the sample map."""
    return dataset.samples.select_related("donor").order_by("id")


def samples_without_donor(dataset: Dataset) -> list[str]:
    """Return the samples that are nobody's on purpose; two queries."""
    mapped = set(dataset.samples.values_list("source_name", flat=True))
    return [name for name in sample_names(dataset) if name not in mapped]


def map_rows(dataset: Dataset) -> list[tuple[str, UUID | None]]:
    """Return every sample of the files with its donor; nobody's samples first."""
    mapped = dict(dataset.samples.values_list("source_name", "donor_id"))
    rows = [(name, mapped.get(name)) for name in sample_names(dataset)]
    return sorted(rows, key=lambda row: row[1] is not None)


def donors_of(dataset: Dataset) -> list[UUID]:
    """Return the ids of the donors who have a sample in the dataset; one query."""
    return list(dataset.samples.order_by("id").values_list("donor_id", flat=True))


def donor_count(dataset: Dataset) -> int:
    """Return how many donors have a sample; exact, so round it before it is shown."""
    return dataset.samples.count()


def build_evidence(dataset: Dataset) -> BuildEvidence | None:
    """Return by what the build is known, or None while it is only claimed.

    The contig lengths of every accepted file must agree with it; where a file names
    none, a steward's signed statement stands in. Without files nothing is known.
    """
    contigs = list(accepted_files(dataset).values_list("contigs", flat=True))
    if contigs and all(
        genomics.builds.detect_build((name, length) for name, length, _ in found)
        == dataset.build
        for found in contigs
    ):
        return BuildEvidence.LENGTHS
    if contigs and dataset.build_statement is not None:
        return BuildEvidence.STATEMENT
    return None
