"""Hold releases by hand, and show which holds stand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gemmule.catalog.models import Dataset
from gemmule.releases import holding, holds
from gemmule.releases.hold import HoldCode


class Command(BaseCommand):
    """Two administrators lift a hold on the page Holds; no command does."""

    help = "hold all releases, or those of a dataset; or show what is held and why"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--reason", help="one sentence that researchers will read")
        act.add_argument(
            "--show",
            action="store_true",
            help="compare the database with signed checkpoints, and show all holds",
        )
        parser.add_argument("--dataset", metavar="GMD...", help="default: all datasets")

    def handle(self, *args: Any, **options: Any) -> None:
        """Place a hold, or look."""
        now = timezone.now()
        if options["show"]:
            self._show()
            return
        if not options["reason"].strip():
            raise CommandError("expected a sentence after --reason, got an empty text")
        dataset = None
        if options["dataset"]:
            dataset = Dataset.objects.filter(accession=options["dataset"]).first()
            if dataset is None:
                raise CommandError(f"there is no dataset {options['dataset']}")
        hold = holds.place(
            code=HoldCode.BY_HAND, dataset=dataset, reason=options["reason"], now=now
        )
        self.stdout.write(f"placed {hold}: nothing that it covers is handed out")

    def _show(self) -> None:
        for each in holding.refresh(now=timezone.now(), ask_everybody=True):
            kind = "proof" if each.is_proof else "claim, which holds nothing"
            self.stdout.write(f"{each.code} ({kind}): {each.message}")
        for hold in holds.open_holds():
            signed = "signed by one administrator" if hold.read_by_id else "unsigned"
            self.stdout.write(
                f"{hold}, since {hold.placed_at:%Y-%m-%d %H:%M} UTC, {signed}: "
                f"{hold.reason}"
            )
            for finding in hold.findings:
                self.stdout.write(f"  {finding['code']}: {finding['message']}")
        if not holds.open_holds().exists():
            self.stdout.write("releases are not held")
