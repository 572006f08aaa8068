"""Django application of `gemmule.releases`."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.releases"
    label = "releases"
