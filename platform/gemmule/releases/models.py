"""Releases, the files and donors in them, and their downloads.

The row's state is the truth; a Celery message only a nudge. The transitions are
in `gemmule.releases.states`.
"""

import json
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

import gemmule.releases.hold  # noqa: F401 - its table is one of this room


class ReleaseState(models.TextChoices):
    """Where a release stands, from the wish to the end of its availability."""

    REQUESTED = "requested", "Waiting for a worker"
    BUILDING = "building", "Being built"
    SEALED = "sealed", "Sealed, waiting for the ledger"
    AVAILABLE = "available", "Ready to download"
    SUSPENDED = "suspended", "Suspended while a donor pauses"
    REVOKED = "revoked", "Revoked"
    SUPERSEDED = "superseded", "Replaced by a newer release"
    EXPIRED = "expired", "Expired"
    FAILED = "failed", "Failed"


LIVE_STATES = [
    ReleaseState.REQUESTED,
    ReleaseState.BUILDING,
    ReleaseState.SEALED,
    ReleaseState.AVAILABLE,
    ReleaseState.SUSPENDED,
]


class Release(models.Model):
    """One cut of one dataset, for one approved request, to one recipient's key."""

    accession = models.CharField(max_length=12, unique=True)
    request = models.ForeignKey(
        "access.AccessRequest", on_delete=models.PROTECT, related_name="releases"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    key = models.ForeignKey(
        "accounts.ResearcherKey", on_delete=models.PROTECT, related_name="+"
    )
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    state = models.CharField(
        max_length=10, choices=ReleaseState.choices, default=ReleaseState.REQUESTED
    )
    # A build holds the release while its token is the newest and its lease runs.
    fencing_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # A rebuild that waits for further withdrawals of the same day to join it.
    start_after = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_reason = models.TextField(blank=True)
    # Canonical JSON (RFC 8785) of the manifest and its signature, as delivered.
    manifest = models.BinaryField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    # As the manifest says; null until the release is sealed.
    samples = models.PositiveIntegerField(null=True)
    records = models.BigIntegerField(null=True)
    # What an auditor needs beside the manifest, and no researcher may see: which donors
    # were considered, from which files. Canonical JSON, committed to on the ledger.
    account = models.BinaryField(null=True)
    # How many of its donors were erased since: their rows are gone, their places in the
    # manifest are not.
    donors_erased = models.PositiveIntegerField(default=0)
    # Entry of data.released, and the ledger size whose consents it cites.
    event = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ledger_size = models.BigIntegerField(null=True)
    event_revoked = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    available_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_reason = models.TextField(blank=True)
    expires_on = models.DateField()

    class Meta:
        """One live release per request and key; what is sealed has its manifest."""

        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request", "key"],
                condition=Q(
                    state__in=[
                        "requested",
                        "building",
                        "sealed",
                        "available",
                        "suspended",
                    ]
                ),
                name="releases_one_live_per_request_and_key",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["requested", "building", "failed", "revoked", "expired"]
                )
                | (~Q(manifest_sha256="") & Q(ledger_size__isnull=False)),
                name="releases_sealed_has_manifest",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(failure_reason=""),
                name="releases_failure_has_reason",
            ),
        ]

    def __str__(self) -> str:
        """Return the accession, which is how people cite a release."""
        return self.accession

    @property
    def empty_because(self) -> list[str]:
        """Return the manifest's codes for why it holds no record; none if it does."""
        if self.records != 0 or self.manifest is None:
            return []
        body = json.loads(bytes(self.manifest))["manifest"]
        return list(body.get("empty_because", []))


class SplitBuild(models.Model):
    """A build that any number of workers cut in parts; gone once they are joined.

    It is the release's while both have the same fencing token; otherwise its parts are
    of no use to anybody.
    """

    release = models.OneToOneField(
        Release, on_delete=models.CASCADE, related_name="split"
    )
    fencing_token = models.PositiveIntegerField()
    # With the service key it makes the keys of this build, which are forgotten with it.
    salt = models.BinaryField()
    # Keyed digest (hex) of all that the parts are cut from and by.
    essence = models.CharField(max_length=64)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return the id."""
        return f"split build {self.pk}"


class PartState(models.TextChoices):
    """Where a part of a split build stands."""

    WAITING = "waiting", "Waiting for a worker"
    BUILDING = "building", "Being cut"
    DONE = "done", "Cut"


class ReleasePart(models.Model):
    """One share of one file of a split build, which one worker cuts."""

    split = models.ForeignKey(
        SplitBuild, on_delete=models.CASCADE, related_name="parts"
    )
    source = models.ForeignKey(
        "catalog.DataFile", on_delete=models.CASCADE, related_name="+"
    )
    # Which share of the file this is, from 0, and of how many.
    number = models.PositiveSmallIntegerField()
    count = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=8, choices=PartState.choices, default=PartState.WAITING
    )
    # The worker of the newest attempt holds the part while the lease runs; of one that
    # waits, until when its message is believed to be on its way.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    percent = models.PositiveSmallIntegerField(default=0)
    # What was kept so far: records, and bytes of text.
    records = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    # Below settings.RELEASE_DIR, and the digest of what lies there.
    path = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        """Each share once, in order; what is done says where it lies."""

        ordering: ClassVar = ["split", "source__number", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["split", "source", "number"], name="releases_part_unique"
            ),
            models.CheckConstraint(
                condition=Q(number__lt=models.F("count")),
                name="releases_part_is_one_of_its_count",
            ),
            models.CheckConstraint(
                condition=Q(state="done") & ~Q(sha256="") & ~Q(path="")
                | ~Q(state="done") & Q(sha256="", path=""),
                name="releases_part_done_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        """Return which part it is, of which file."""
        return f"part {self.number + 1} of {self.count} of file {self.source_id}"


class FileRole(models.TextChoices):
    """What a file of a release is for."""

    VARIANTS = "variants", "Variants"
    INDEX = "index", "Index"


class ReleaseFile(models.Model):
    """One encrypted file of a release, stored as it is delivered."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=8, choices=FileRole.choices)
    # Below settings.RELEASE_DIR; made of ids alone, never of a name from a file. Empty
    # once the bytes were deleted because a donor in them was erased.
    path = models.CharField(max_length=200, blank=True)
    sha256_plain = models.CharField(max_length=64)
    sha256_cipher = models.CharField(max_length=64)
    size_plain = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    segments = models.BigIntegerField()

    class Meta:
        """Names are unique within a release."""

        ordering: ClassVar = ["release", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "name"], name="releases_file_name_unique"
            )
        ]

    def __str__(self) -> str:
        """Return the name under which the file is delivered."""
        return self.name


class ReleaseDonor(models.Model):
    """A donor in a sealed release, and the consent that covered it."""

    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="donors"
    )
    donor = models.ForeignKey(
        "consent.Donor", on_delete=models.CASCADE, related_name="+"
    )
    consent = models.ForeignKey(
        "consent.Consent", on_delete=models.PROTECT, related_name="+"
    )
    # The project's name for this donor's sample: [A-Z][A-Z0-9]{9}.
    sample_name = models.CharField(max_length=10)

    class Meta:
        """A donor is in a release once, under one name."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "donor"], name="releases_donor_unique"
            ),
            models.UniqueConstraint(
                fields=["release", "sample_name"], name="releases_sample_name_unique"
            ),
        ]

    def __str__(self) -> str:
        """Return the sample's name in the release, which says nothing of the donor."""
        return self.sample_name


class Download(models.Model):
    """One answered request for bytes of a release file."""

    file = models.ForeignKey(
        ReleaseFile, on_delete=models.PROTECT, related_name="downloads"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    # Byte range asked for, 0-based half-open.
    start = models.BigIntegerField()
    stop = models.BigIntegerField()
    bytes_sent = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    # When the stream was last known to be alive; null in rows older than the field.
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # How it ended: complete, interrupted by the reader, stopped by the gate, or lost
    # with its web server, which leaves how much was sent at what was last noted.
    outcome = models.CharField(max_length=12, default="open")
    event = models.UUIDField(null=True, unique=True)

    class Meta:
        """Newest first; those still open are few, and looked for often."""

        ordering: ClassVar = ["-started_at"]
        indexes: ClassVar = [
            models.Index(
                fields=["seen_at"],
                condition=Q(outcome="open"),
                name="releases_open_downloads",
            )
        ]

    def __str__(self) -> str:
        """Return the file and the range."""
        return f"{self.file.name} [{self.start}, {self.stop})"


class ErasureStage(models.TextChoices):
    """What is to be done next of an erasure, in this order."""

    BUILDS = "builds", "Stopping builds that may hold the person"
    SEQUENCE = "sequence", "Giving her last events their place in the log"
    KEY = "key", "Destroying the key of her ledger entries"
    BODIES = "bodies", "Deleting what these entries say"
    FILES = "files", "Deleting release files that hold her"
    STORES = "stores", "Taking her genotypes out of the stores"
    ROWS = "rows", "Deleting her rows and her account"
    WIPE = "wipe", "Wiping what the databases have freed"
    DONE = "done", "Done"


class Erasure(models.Model):
    """A person's wish to be erased, until nothing is left that it could name.

    The row says how far that has come. Once her rows are gone it points at nobody; its
    id is all she keeps, to see that it came to its end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stage = models.CharField(
        max_length=8, choices=ErasureStage.choices, default=ErasureStage.BUILDS
    )
    # No foreign keys: what they would point at is deleted before this row lets go.
    donor = models.UUIDField(null=True, unique=True)
    subject = models.UUIDField(null=True)
    user = models.BigIntegerField(null=True)
    # Entry of subject.erased.
    event = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # A worker holds the erasure while its token is the newest and its lease runs.
    fencing_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    stores_rewritten_at = models.DateTimeField(null=True)
    builds_stopped_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        """Whom it is about is known until the rows are gone, and never after."""

        ordering: ClassVar = ["-asked_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(stage__in=["wipe", "done"], donor=None, subject=None)
                & Q(user=None)
                | ~Q(stage__in=["wipe", "done"])
                & Q(donor__isnull=False, subject__isnull=False),
                name="releases_erasure_ends_naming_nobody",
            ),
            models.CheckConstraint(
                condition=Q(stage="done", done_at__isnull=False)
                | ~Q(stage="done") & Q(done_at=None),
                name="releases_erasure_done_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        """Return the id, which leads to nobody."""
        return f"erasure {self.pk}"
