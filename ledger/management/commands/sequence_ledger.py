"""Give pending events their place in the log, and sign the new head."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ledger import errors, selectors, services


class Command(BaseCommand):
    """For a timer, or after a crash; running it twice, or in parallel, is harmless."""

    help = "sequence every pending event and publish a signed checkpoint"

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle the ledger."""
        try:
            services.settle(now=timezone.now())
        except errors.LedgerError as error:
            raise CommandError(str(error)) from error
        last = selectors.latest_checkpoint()
        self.stdout.write(
            "the ledger has no entries yet"
            if last is None
            else f"{last.size} entries are under a signed checkpoint"
        )
