"""Django application of `gemmule.web`."""

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig


class WebConfig(AppConfig):
    """Register the room under its short label."""

    name = "gemmule.web"
    label = "web"

    def ready(self) -> None:
        """Renew a session once its owner was asked who they are."""
        from gemmule.web import again  # noqa: PLC0415 - models must be loaded

        authentication_step_completed.connect(
            again.renew_session, dispatch_uid="gemmule.web"
        )
