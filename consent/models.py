"""Donors by pseudonym, form versions, and every decision a donor ever took.

Rows of decisions are only ever added: a change is a new row, the old one stays as it
was. Which login is which donor is unknown here; what the words mean is `policy`.
"""

import uuid
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from consent.events import STATE_OF_ACT
from consent.forms import definition
from consent.terms import Terms


class Donor(models.Model):
    """A person whose genomic data may be used, known here by a pseudonym alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Whose vault key salts this donor's commitments.
    subject = models.UUIDField(unique=True)
    created_at = models.DateTimeField()
    # Set by an erasure, before anything of the donor's may be deleted.
    erased_at = models.DateTimeField(null=True)

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

    @property
    def number(self) -> tuple[int, int]:
        """Return the version as (major, minor)."""
        return definition.version_number(self.version)

    @property
    def major(self) -> int:
        """Return the major number: donors agree anew when it changes."""
        return self.number[0]

    def to_form(self) -> definition.Form:
        """Return the content as a form that can be asked and answered."""
        return definition.read(self.content)


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
    # "mode": "missing"}; regions 0-based half-open, with their "build"; {} withholds
    # nothing.
    withheld = models.JSONField(default=dict, blank=True)
    discovery = models.BooleanField(default=False)
    form = models.ForeignKey(
        FormVersion, on_delete=models.PROTECT, related_name="+", null=True
    )
    language = models.CharField(max_length=12, blank=True)
    channel = models.CharField(
        max_length=10, choices=Channel.choices, default=Channel.DONOR
    )
    # The release of the disease ontology that the donor saw.
    mondo_version = models.CharField(max_length=10)
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
            models.CheckConstraint(
                condition=Q(number__gte=1), name="consent_number_starts_at_one"
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
        """Return the state of `consent.terms`; a row that was followed is superseded.

        A validity that has run out is not looked at: `state_on` does.
        """
        if not self.is_current:
            return "superseded"
        return STATE_OF_ACT[Act(self.act)]

    def state_on(self, day: date) -> str:
        """Return the state on a day: expired once the last valid day has passed."""
        state = self.state
        has_ended = self.valid_until is not None and self.valid_until < day
        return "expired" if has_ended and state in ("active", "paused") else state

    def to_terms(self, *, state: str | None = None) -> Terms:
        """Return the terms that `policy.decide` reads, in this or the given state."""
        whole: dict[str, Any] = {**self.terms, "state": state or self.state}
        return Terms.read(whole)

    def to_event(self) -> dict[str, Any]:
        """Return the row as its ledger entry commits to it.

        `form` has to be loaded with the row where many are asked.
        """
        return {
            "consent": str(self.pk),
            "number": self.number,
            "act": str(self.act),
            "terms": self.terms,
            "withheld": self.withheld,
            "discovery": self.discovery,
            "form": self.form.sha256 if self.form else None,
            "language": self.language,
            "channel": str(self.channel),
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "mondo": self.mondo_version,
        }
