"""Datasets, the files they hold and the samples in them.

A sample is one column of a call set, and belongs to at most one donor. File
contents are the business of `genomics`; whether a donor consents, of `consent`.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Build(models.TextChoices):
    """Genome build of a dataset's coordinates."""

    GRCH37 = "GRCh37", "GRCh37 (hg19)"
    GRCH38 = "GRCh38", "GRCh38 (hg38)"


class DatasetState(models.TextChoices):
    """Whether researchers may see a dataset."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"


class Dataset(models.Model):
    """One or more VCF files of the same people, with one sample map."""

    accession = models.CharField(max_length=12, unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField()
    build = models.CharField(max_length=6, choices=Build.choices)
    barred_countries = models.JSONField(default=list, blank=True)
    filter_is_cohort_independent = models.BooleanField(default=False)
    state = models.CharField(
        max_length=10, choices=DatasetState.choices, default=DatasetState.DRAFT
    )
    steward = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    map_sha256 = models.CharField(max_length=64, blank=True)
    map_uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    map_uploaded_at = models.DateTimeField(null=True)
    map_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    map_confirmed_at = models.DateTimeField(null=True)
    # A steward's signed word for the build where contig lengths do not prove it:
    # {"user", "signed_at", "method", "statement_sha256"}; any change of files voids it.
    build_statement = models.JSONField(null=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    event = models.UUIDField(null=True, unique=True)

    class Meta:
        """The second pair of eyes on a sample map is never the first."""

        ordering: ClassVar = ["accession"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(map_confirmed_by__isnull=True)
                | Q(map_uploaded_by__isnull=False)
                & ~Q(map_confirmed_by=F("map_uploaded_by")),
                name="catalog_map_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state="published")
                | Q(map_confirmed_at__isnull=False, published_at__isnull=False),
                name="catalog_published_with_confirmed_map",
            ),
        ]

    def __str__(self) -> str:
        """Return the accession, which is how people cite a dataset."""
        return self.accession


class DataFileState(models.TextChoices):
    """How far the intake of an uploaded file has come."""

    UPLOADED = "uploaded", "Waiting for its check"
    CHECKING = "checking", "Being checked"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class DataFile(models.Model):
    """An uploaded call set and, once accepted, the canonical store made of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="files")
    number = models.PositiveIntegerField()
    original_name = models.CharField(max_length=255)
    state = models.CharField(
        max_length=10, choices=DataFileState.choices, default=DataFileState.UPLOADED
    )
    # Counts the checks begun. The newest holds the file while its lease runs, so the
    # number is its fencing token too, and part of the store's path. A store that is
    # rewritten without somebody takes the next number.
    attempts = models.PositiveSmallIntegerField(default=0)
    # Until then a file in its check is another's, and one that waits has its message.
    lease_until = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField()
    sha256_source = models.CharField(max_length=64)
    sha256_store = models.CharField(max_length=64, blank=True)
    # Of the directory of its columns; without, releases are cut from its text.
    sha256_columns = models.CharField(max_length=64, blank=True)
    records = models.BigIntegerField(null=True)
    contigs = models.JSONField(default=list)
    # [contig, megabase, records that begin in it]; empty for files taken in before
    # megabases were counted.
    megabases = models.JSONField(default=list)
    sample_names = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    # {"code", "message", "line", "column"}, the last two null where there is no place.
    refusal = models.JSONField(null=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)

    class Meta:
        """Files of a dataset are numbered from 1 in order of upload."""

        ordering: ClassVar = ["dataset", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="catalog_file_number_unique"
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(sha256_store=""),
                name="catalog_accepted_file_has_store",
            ),
        ]

    def __str__(self) -> str:
        """Return the dataset's accession and the number of the file in it."""
        return f"{self.dataset.accession}/{self.number}"

    @property
    def store_path(self) -> str:
        """Return where the canonical store lies below settings.STORE_DIR."""
        return f"{self.pk}/store-{self.attempts}"


class Sample(models.Model):
    """One column of a dataset's files and the donor it was taken from."""

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="samples"
    )
    source_name = models.CharField(max_length=255)
    donor = models.ForeignKey(
        "consent.Donor", on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        """Within a dataset a column is one donor's and a donor has one column."""

        ordering: ClassVar = ["dataset", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dataset", "source_name"], name="catalog_sample_name_unique"
            ),
            models.UniqueConstraint(
                fields=["dataset", "donor"], name="catalog_sample_donor_unique"
            ),
        ]

    def __str__(self) -> str:
        """Return an opaque reference: the name of a sample is personal data."""
        return f"sample {self.pk} of {self.dataset.accession}"
