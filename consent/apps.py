"""Django application of the room."""

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """Register the room under its label."""

    name = "consent"
    label = "consent"
