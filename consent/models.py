"""Donors by pseudonym, form versions, and every decision a donor ever took.

Rows of decisions are only ever added: a change is a new row, the old one stays as it
was. Which login is which donor is unknown here; what the words mean is `policy`.
"""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from consent.terms import Terms


class Donor(models.Model):
    """A person whose genomic data may be used, known here by a pseudonym alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Whose vault key salts this donor's commitments.
    subject = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"donor {self.id}"


class FormState(models.TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"


class FormVersion(models.Model):
    """A consent form in one language; immutable once published."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    # "major.minor": a new major version never widens an older consent.
    version = models.CharField(max_length=12)
    language = models.CharField(max_length=12)
    title = models.CharField(max_length=200)
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(
        max_length=10, choices=FormState.choices, default=FormState.DRAFT
    )
    published_at = models.DateTimeField(null=True)
    event = models.UUIDField(null=True, unique=True)

    class Meta:
        ordering: ClassVar = ["-published_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "version", "language"],
                name="consent_form_version_unique",
            ),
            models.CheckConstraint(
                condition=~Q(state="published")
                | Q(published_at__isnull=False, event__isnull=False),
                name="consent_published_form_is_on_ledger",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.language})"


class Act(models.TextChoices):
    """What a donor did; the last one decides where her consent stands."""

    GIVEN = "given", "Given"
    CHANGED = "changed", "Changed"
    PAUSED = "paused", "Paused"
    RESUMED = "resumed", "Resumed"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class Channel(models.TextChoices):
    """How the decision reached us."""

    DONOR = "donor", "By the donor, signed in"
    PHONE = "phone", "By phone"
    PAPER = "paper", "On paper"
    MAIL = "mail", "By mail"
    ASSISTED = "assisted", "With help from staff"


_STATE_OF_ACT = {
    Act.GIVEN: "active",
    Act.CHANGED: "active",
    Act.RESUMED: "active",
    Act.PAUSED: "paused",
    Act.REFUSED: "refused",
    Act.WITHDRAWN: "withdrawn",
    Act.EXPIRED: "expired",
}


class Consent(models.Model):
    """One decision of a donor, with all the terms that stand after it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    donor = models.ForeignKey(Donor, on_delete=models.CASCADE, related_name="consents")
    # 1 for the donor's first decision, then one more each time.
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=10, choices=Act.choices)
    # {"permission", "diseases", "modifiers"}, the schema of `consent.terms`.
    terms = models.JSONField()
    # {"genes": [symbol], "regions": [[contig, start_0, end]], "flank": bases,
    # "mode": "missing"}; regions 0-based half-open; {} withholds nothing.
    withheld = models.JSONField(default=dict, blank=True)
    discovery = models.BooleanField(default=False)
    form = models.ForeignKey(
        FormVersion, on_delete=models.PROTECT, related_name="+", null=True
    )
    language = models.CharField(max_length=12, blank=True)
    channel = models.CharField(
        max_length=10, choices=Channel.choices, default=Channel.DONOR
    )
    # The last day on which the consent holds; null: until the donor says otherwise.
    valid_until = models.DateField(null=True)
    event = models.UUIDField(unique=True)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["donor", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["donor", "number"], name="consent_number_unique"
            ),
            models.UniqueConstraint(
                fields=["donor"],
                condition=Q(is_current=True),
                name="consent_one_current_per_donor",
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.number} of {self.donor_id}: {self.act}"

    @property
    def state(self) -> str:
        """Return the state of `consent.terms`, a superseded row apart."""
        if not self.is_current:
            return "superseded"
        return _STATE_OF_ACT[Act(self.act)]

    def to_terms(self, *, state: str | None = None) -> Terms:
        """Return the terms `policy.decide` reads, in this or the given state."""
        whole: dict[str, Any] = {**self.terms, "state": state or self.state}
        return Terms.read(whole)
