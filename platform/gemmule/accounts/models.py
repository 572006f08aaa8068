"""People, their institutions, roles, keys and tokens.

Whether a person is a donor is one erasable row here (`DonorAccount`); what a donor
allows is `consent`, which never sees a login.
"""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone


class Role(models.TextChoices):
    DONOR = "donor", "Donor"
    RESEARCHER = "researcher", "Researcher"
    IRB_REVIEWER = "irb_reviewer", "IRB reviewer"
    IRB_CHAIR = "irb_chair", "IRB chair"
    STEWARD = "steward", "Data steward"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


class Institution(models.Model):
    """An organisation that people belong to and projects are run by."""

    name = models.CharField(max_length=200, unique=True)
    ror = models.CharField(
        "ROR identifier",
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"^https://ror\.org/0[a-z0-9]{8}$")],
    )
    country = models.CharField(
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$", "two letters of ISO 3166")],
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("ror",),
                condition=~Q(ror=""),
                name="accounts_institution_ror_unique",
            ),
        )

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Make users by e-mail address; addresses are kept in lower case."""

    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Save and return a user; without a password none will ever match."""
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person who signs in; what they may do is said by their role grants alone."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=150, blank=True)
    institution = models.ForeignKey(
        Institution,
        on_delete=models.PROTECT,
        related_name="users",
        null=True,
        blank=True,
    )
    # How a donor names a single researcher she allows (DUO US).
    orcid = models.CharField(
        "ORCID iD",
        max_length=19,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$")],
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_unique"),
        )

    def __str__(self) -> str:
        return self.name or self.email


class RoleProposal(models.Model):
    """A role one administrator proposes and a second one confirms or declines."""

    class State(models.TextChoices):
        OPEN = "open", "Waits for a second administrator"
        CONFIRMED = "confirmed", "Confirmed"
        DECLINED = "declined", "Declined"

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="role_proposals"
    )
    role = models.CharField(max_length=20, choices=Role.choices)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role"),
                condition=Q(state="open"),
                name="accounts_one_open_proposal_per_role",
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("user")),
                name="accounts_proposal_never_for_oneself",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None, closed_by=None)
                | Q(
                    state__in=("confirmed", "declined"),
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                ),
                name="accounts_proposal_closed_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed", closed_by=F("proposed_by"))
                & ~Q(state="confirmed", closed_by=F("user")),
                name="accounts_proposal_confirmed_by_a_second_person",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} for user {self.user_id} ({self.state})"


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    def active(self) -> "RoleGrantQuerySet":
        return self.filter(revoked_at=None)


class RoleGrant(models.Model):
    """A role that a person holds until it is revoked; rows are kept as history."""

    class Channel(models.TextChoices):
        PEOPLE = "people", "Two administrators"
        BOOTSTRAP = "bootstrap", "Command line of a fresh installation"
        SIGNUP = "signup", "Own sign-up"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    channel = models.CharField(
        max_length=10, choices=Channel.choices, default=Channel.PEOPLE
    )
    granted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True
    )
    event = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True
    )
    revoked_event = models.UUIDField(null=True, unique=True)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role"),
                condition=Q(revoked_at=None),
                name="accounts_one_active_grant_per_role",
            ),
            models.CheckConstraint(
                condition=~Q(granted_by=F("user")) & ~Q(confirmed_by=F("user")),
                name="accounts_role_never_granted_to_oneself",
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("granted_by")),
                name="accounts_role_granted_by_two_people",
            ),
            # Only a donor makes herself one, and only the command line of a fresh
            # installation grants a power without two people.
            models.CheckConstraint(
                condition=Q(
                    channel="people",
                    granted_by__isnull=False,
                    confirmed_by__isnull=False,
                    event__isnull=False,
                )
                | Q(channel="bootstrap", event__isnull=False)
                | Q(channel="signup", role="donor"),
                name="accounts_role_granted_through_a_channel",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} of user {self.user_id}"


class ResearcherKey(models.Model):
    """A researcher's Crypt4GH public key; files are encrypted to it once proven."""

    class State(models.TextChoices):
        PENDING = "pending", "Waits for proof"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="researcher_keys"
    )
    name = models.CharField(max_length=100)
    public_key = models.BinaryField(max_length=32)
    # SHA-256 of the 32 raw bytes, in hex.
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PENDING
    )
    # The challenge as the person downloads it, encrypted to the key; of the answer
    # we keep the SHA-256 alone.
    challenge = models.BinaryField(null=True)
    challenge_sha256 = models.CharField(max_length=64, blank=True)
    challenge_expires_at = models.DateTimeField(null=True)
    challenge_tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "fingerprint"),
                condition=~Q(state="retired"),
                name="accounts_key_once_per_user",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", challenge__isnull=False)
                | ~Q(state="pending") & Q(challenge=None, challenge_sha256=""),
                name="accounts_key_challenge_only_while_pending",
            ),
            models.CheckConstraint(
                condition=~Q(state="active", registered_at=None),
                name="accounts_key_active_was_proven",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint[:8]})"

    @property
    def short_fingerprint(self) -> str:
        return f"{self.fingerprint[:4]}…{self.fingerprint[-4:]}"

    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    def is_challenge_expired(self, now: datetime) -> bool:
        return self.challenge_expires_at is None or now >= self.challenge_expires_at


class TokenLabel(models.Model):
    """The name a person gave to an API token; knox keeps the token's digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.OneToOneField(
        "knox.AuthToken", on_delete=models.CASCADE, related_name="label"
    )
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name

    def is_expired(self, now: datetime) -> bool:
        expiry: datetime | None = self.token.expiry
        return expiry is not None and now >= expiry


class DonorAccount(models.Model):
    """Which login is which donor; deleting this row cuts the only tie there is."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="donor_account"
    )
    donor = models.OneToOneField(
        "consent.Donor", on_delete=models.CASCADE, related_name="+"
    )

    def __str__(self) -> str:
        return f"link {self.pk}"
