"""Register the room with Django."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "gemmule.notices"
    label = "notices"
