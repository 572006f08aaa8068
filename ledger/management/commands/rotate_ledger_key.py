"""Let a new key sign the ledger's checkpoints, with a time in which both sign."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger import errors, keys, rotation, services


class Command(BaseCommand):
    """Two steps, days or weeks apart; docs/operations.md says what lies between."""

    help = "begin to sign with a second log key, or finish and retire the first"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the step."""
        parser.add_argument("step", choices=("begin", "finish"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the step, and publish what it put on the ledger."""
        now = timezone.now()
        try:
            if options["step"] == "begin":
                key = rotation.begin(now=now)
                self.stdout.write(f"signs from now on as well: {key.text}")
            else:
                for key in rotation.finish(now=now):
                    self.stdout.write(f"retired: {key.text}")
                    self._tell_to_drop(key.text)
            services.sequence_all(now=now)
            services.publish(now=now)
        except (errors.LedgerError, OSError) as error:
            raise CommandError(str(error)) from error

    def _tell_to_drop(self, key: str) -> None:
        if keys.is_notary_elsewhere():
            self.stdout.write(
                "now, as the user of the notary: "
                f"python -m ledger.notary drop-key DIR --key {key}"
            )
