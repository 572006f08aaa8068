"""The ledger as a Django application."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class LedgerConfig(AppConfig):
    """Tables, commands and checks of the ledger."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Let Django run the checks of this application."""
        # They read tables, and there are none before the applications are loaded.
        from ledger import checks, revival  # noqa: PLC0415

        register(checks.check_sqlite_locks_at_begin)
        register(checks.check_policy)
        register(checks.check_witnesses, deploy=True)
        register(checks.check_commits_reach_the_disk, Tags.database)
        register(revival.check_nothing_erased_is_back, Tags.database)
