"""Django application of `gemmule.catalog`."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.catalog"
    label = "catalog"
