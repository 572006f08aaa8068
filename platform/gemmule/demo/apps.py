"""The demo as a Django app, so that `manage.py demo` is found."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Label `demo`; it has no tables."""

    name = "gemmule.demo"
    label = "demo"
