"""The table of holds; what places and lifts one is in `holds`."""

import hashlib
from typing import ClassVar

import rfc8785
from django.conf import settings
from django.db import models
from django.db.models import Q


class HoldCode(models.TextChoices):
    """What placed a hold."""

    BY_HAND = "by-hand", "Placed by hand"
    RESTORED = "restored", "The database was restored"
    LEDGER = "ledger-behind", "The database is behind its ledger"
    LOST = "content-lost", "Acts on the ledger whose content is lost"


class Hold(models.Model):
    """Nothing of a dataset, or of the site, is built or handed out while this stands.

    Two administrators lift it, each by signing that the findings were read.
    """

    code = models.CharField(max_length=16, choices=HoldCode.choices)
    # None: all releases.
    dataset = models.ForeignKey(
        "catalog.Dataset", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Told to everybody who asks for a file.
    reason = models.TextField()
    # [{"code": ..., "message": ...}, ...]
    findings = models.JSONField(default=list)
    placed_at = models.DateTimeField()
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    read_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        """One of a kind at a time; nobody lifts one alone."""

        ordering: ClassVar = ["-placed_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False)
                & Q(read_by__isnull=False)
                & ~Q(lifted_by=models.F("read_by")),
                name="releases_hold_is_lifted_by_two",
            ),
            models.UniqueConstraint(
                fields=["code", "dataset"],
                condition=Q(lifted_at=None),
                name="releases_one_hold_per_dataset",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(lifted_at=None, dataset=None),
                name="releases_one_hold_of_all",
            ),
        ]

    def __str__(self) -> str:
        """Return the number and what is held."""
        return f"hold {self.pk} of {self.dataset or 'all releases'}"

    @property
    def findings_sha256(self) -> str:
        """Return the digest of what whoever lifts it has read."""
        return hashlib.sha256(rfc8785.dumps(self.findings)).hexdigest()
