"""Register the room with Django."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "gemmule.notices"
    label = "notices"

    def ready(self) -> None:
        """Hear of what is done on allauth's pages."""
        from gemmule.notices import receivers  # noqa: PLC0415 - models must be loaded

        receivers.connect()
