"""Django application of `gemmule.releases`."""

from django.apps import AppConfig
from django.core.checks import register

from gemmule.objects.checks import check_versions


class ReleasesConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.releases"
    label = "releases"

    def ready(self) -> None:
        """Have what releases lie in checked."""
        register(check_versions, deploy=True)
