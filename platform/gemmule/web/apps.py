"""Django application of `gemmule.web`."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.web"
    label = "web"
