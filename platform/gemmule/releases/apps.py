"""Django application of `gemmule.releases`."""

from django.apps import AppConfig
from django.core.checks import register

import ledger.copies
from gemmule.objects import copies
from gemmule.objects.checks import check_versions


class ReleasesConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.releases"
    label = "releases"

    def ready(self) -> None:
        """Have what releases lie in checked, and the ledger copied into a bucket."""
        register(check_versions, deploy=True)
        ledger.copies.also_keep_in(copies.of_ledger)
