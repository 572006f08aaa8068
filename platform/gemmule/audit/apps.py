"""Django application of `gemmule.audit`."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.audit"
    label = "audit"
