"""Django application of `gemmule.access`."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.access"
    label = "access"
