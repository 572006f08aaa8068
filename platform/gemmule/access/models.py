"""Projects, requests for data and the signed reviews of them.

Which donors a request reaches is computed from consent each time it is asked
(`gemmule.access.selectors`); only its snapshot at a decision is kept here.
"""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


def new_pseudonym_key() -> bytes:
    """Return 32 random bytes from which a project's sample names are derived."""
    return secrets.token_bytes(32)


class Project(models.Model):
    """A piece of research, the people in it and the key of its sample names."""

    accession = models.CharField(max_length=12, unique=True)
    title = models.CharField(max_length=200)
    lay_summary = models.TextField()
    institution = models.ForeignKey(
        "accounts.Institution", on_delete=models.PROTECT, related_name="+"
    )
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="ProjectMember", related_name="projects"
    )
    pseudonym_key = models.BinaryField(default=new_pseudonym_key)
    created_at = models.DateTimeField()

    class Meta:
        """Newest first: a researcher comes back to what she did last."""

        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        """Return the accession, which is how people cite a project."""
        return self.accession


class ProjectMember(models.Model):
    """A user's place in a project; the lead is a member too."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField()

    class Meta:
        """One place in a project per user."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "user"], name="access_member_unique"
            )
        ]

    def __str__(self) -> str:
        """Return the project this is a place in."""
        return f"member of {self.project.accession}"


class RequestState(models.TextChoices):
    """Where a request stands; the transitions are in `gemmule.access.states`."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "With the IRB"
    COUNTERSIGNING = "cosigning", "With the IRB, waiting for a second signature"
    RETURNED = "returned", "Sent back with questions"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    EXPIRED = "expired", "Expired"
    CLOSED = "closed", "Closed"


class AccessRequest(models.Model):
    """A project's request for one dataset, for one stated purpose."""

    accession = models.CharField(max_length=12, unique=True)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="requests"
    )
    dataset = models.ForeignKey(
        "catalog.Dataset", on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.JSONField(default=dict)
    justification = models.TextField(blank=True)
    regions_text = models.TextField(blank=True)
    # [[contig, start_0, end], ...], 0-based half-open; null asks for everything.
    regions = models.JSONField(null=True)
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.DRAFT
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    expires_on = models.DateField(null=True)
    # Exact counts by verdict and clause, as the machine saw them when it was asked.
    verdict = models.JSONField(null=True)
    event_submitted = models.UUIDField(null=True, unique=True)
    event_decided = models.UUIDField(null=True, unique=True)

    class Meta:
        """An approval always has an end, and a submission always a submitter."""

        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(expires_on__isnull=False),
                name="access_approval_has_end",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(submitted_by__isnull=False),
                name="access_submission_has_submitter",
            ),
        ]

    def __str__(self) -> str:
        """Return the accession, which is how people cite a request."""
        return self.accession


class ReviewDecision(models.TextChoices):
    """What a member of the IRB decided on a request, or saw of it."""

    APPROVE = "approve", "Approved"
    PROPOSE = "propose", "Approved, with a second signature to come"
    DENY = "deny", "Denied"
    RETURN = "return", "Sent back"
    ETHICS = "ethics", "Ethics approval seen"


class Review(models.Model):
    """A signed decision, with what it turned from review into permit."""

    request = models.ForeignKey(
        AccessRequest, on_delete=models.PROTECT, related_name="reviews"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decision = models.CharField(max_length=8, choices=ReviewDecision.choices)
    reason = models.TextField()
    expires_on = models.DateField(null=True)
    # What gemmule.accounts.services.sign returned, as JSON.
    signature = models.JSONField()
    event = models.UUIDField(unique=True)
    # The exact bytes that were signed (RFC 8785 JSON).
    statement = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        """A request is approved once; reasons are never empty."""

        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(decision="approve"),
                name="access_one_approval",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="access_review_has_reason"
            ),
        ]

    def __str__(self) -> str:
        """Return what was decided on which request."""
        return f"{self.decision} of {self.request.accession}"


class Resolution(models.Model):
    """One review clause of one consent, turned into permit by a signed review.

    It holds for exactly this consent under exactly this rule set: a changed
    consent or a new rule set asks a person again.
    """

    review = models.ForeignKey(
        Review, on_delete=models.PROTECT, related_name="resolutions"
    )
    consent = models.ForeignKey(
        "consent.Consent", on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(max_length=40)
    rules = models.CharField(max_length=40)

    class Meta:
        """A clause of a consent is resolved once per review."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["review", "consent", "code"], name="access_resolution_unique"
            )
        ]

    def __str__(self) -> str:
        """Return the clause."""
        return f"{self.code} under rules {self.rules}"
