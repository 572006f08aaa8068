"""Answers kept for `Idempotency-Key`, so that a repeated POST has one effect."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

# So the API's description promises; after it a key may be used anew.
KEPT_FOR = timedelta(days=7)


class IdempotentAnswer(models.Model):
    """The answer a user's first request with a key was given."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=100)
    # SHA-256 (hex) of method, path and body: the same key for another is an error.
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        """A key is a user's own."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "key"], name="api_idempotency_key_unique"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="api_idempotency_age")
        ]

    def __str__(self) -> str:
        """Return the key, which its user chose."""
        return self.key
