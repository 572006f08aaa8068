"""Have notary and witnesses sign the ledger, once or again and again."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger import errors, following, publishing, selectors, services


class Command(BaseCommand):
    """With witnesses, `--follow` runs beside the web server and the worker."""

    help = "publish a checkpoint of every entry, signed and cosigned as the policy says"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--follow", action="store_true", help="go on until SIGTERM or SIGINT"
        )
        choice.add_argument(
            "--rebuild",
            action="store_true",
            help="make every lost tile of what is published anew",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish."""
        if options["follow"]:
            self._follow()
            return
        try:
            if options["rebuild"]:
                publishing.rebuild()
            services.sequence_all(now=timezone.now())
            services.publish(now=timezone.now())
        except errors.LedgerError as error:
            raise CommandError(str(error)) from error
        last = selectors.latest_checkpoint()
        self.stdout.write(
            "the ledger has no entries yet"
            if last is None
            else f"{last.size} entries are under a published checkpoint"
        )

    def _follow(self) -> None:
        stop = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        self.stdout.write("publishing what comes")
        self.stdout.flush()
        following.follow(stop=stop, clock=timezone.now)
