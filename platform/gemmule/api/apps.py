"""Django application of `gemmule.api`."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.api"
    label = "api"
