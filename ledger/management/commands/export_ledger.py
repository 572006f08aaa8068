"""Write the log as files that others pull and verify."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import errors, exporting


class Command(BaseCommand):
    """Run again, it writes what is new."""

    help = "write entries, hash tiles, checkpoint and policy into a folder"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("folder", type=Path, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export what is new."""
        try:
            found = exporting.export(options["folder"])
        except (errors.LedgerError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{options['folder']} holds {found.cosigned.checkpoint.size} entries, "
            f"{found.new} of them new"
        )
