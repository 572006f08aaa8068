"""A notice to one person, and a letter to one address: rows that are mailed."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at=None)

    def unmailed(self) -> "NoticeQuerySet":
        return self.filter(mailed_at=None)


class Notice(models.Model):
    """Something a person should know, shown in their inbox until they read it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    # What happened, dotted and in the past tense: `release.revoked`.
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    # A path on this site, where the person can act on it.
    url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=("user", "-created_at"), name="notices_inbox"),
            models.Index(
                fields=("created_at",),
                condition=Q(mailed_at=None),
                name="notices_unmailed",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(url="") | Q(url__startswith="/") & ~Q(url__startswith="//"),
                name="notices_url_stays_on_this_site",
            ),
        )

    def __str__(self) -> str:
        return self.subject

    def is_read(self) -> bool:
        return self.read_at is not None


class Letter(models.Model):
    """A mail that says in full what was done to an account.

    It goes to the address that the account had then: whoever changes the address does
    not get the mail that tells of it. The row is kept until it is of no use to anyone.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="letters"
    )
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=("created_at",), name="notices_letters_by_age"),)

    def __str__(self) -> str:
        return self.subject
