"""The ledger as a Django application."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from ledger.checks import check_sqlite_locks_at_begin


class LedgerConfig(AppConfig):
    """Tables, commands and checks of the ledger."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Let Django run the checks of this application."""
        # It reads tables, and there are none before the applications are loaded.
        from ledger.revival import check_nothing_erased_is_back  # noqa: PLC0415

        register(check_sqlite_locks_at_begin)
        register(check_nothing_erased_is_back, Tags.database)
