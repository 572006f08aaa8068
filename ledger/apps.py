"""The ledger as a Django application."""

from django.apps import AppConfig
from django.core.checks import register

from ledger.checks import check_sqlite_locks_at_begin


class LedgerConfig(AppConfig):
    """Tables, commands and checks of the ledger."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Let Django run the checks of this application."""
        register(check_sqlite_locks_at_begin)
