"""Put the log back into the tables from an export or a mirror."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ledger import errors, mirror, restoring, sources
from ledger.restoring import Restored
from ledger.tlog.policy import Policy


class Command(BaseCommand):
    """Into empty tables, or such as hold the beginning of the same log."""

    help = "verify a copy of the log, then put back the entries that the tables lack"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--from-tiles", type=Path, metavar="DIR")
        place.add_argument("--from-mirror", metavar="URL", help="an address, http(s)")
        parser.add_argument(
            "--bodies",
            type=Path,
            metavar="DIR",
            help="another folder with copies of the sealed bodies; the folder of the "
            "tiles, the site's public files and its bucket are always searched",
        )
        parser.add_argument("--token-file", type=Path, metavar="FILE")
        parser.add_argument(
            "--policy",
            type=Path,
            required=True,
            metavar="FILE",
            help="which checkpoints are believed; not the one that the copy brings",
        )

        parser.add_argument(
            "--notary-forgot",
            action="store_true",
            help="the notary's memory was lost, and I answer for it: it signed nothing "
            "beyond the copy",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore."""
        try:
            policy = Policy.from_bytes(options["policy"].read_bytes())
            found = _restore(options, policy)
        except (errors.LedgerError, OSError) as error:
            raise CommandError(f"nothing was restored: {error}") from error
        self.stdout.write(
            f"the ledger has {found.size} entries; {found.new} of them were restored, "
            f"{found.opened} with their bodies; nobody can open {found.unknown} of the "
            "restored ones any more"
        )


def _restore(options: dict[str, Any], policy: Policy) -> Restored:
    if options["from_tiles"] is not None:
        return _restore_files(options["from_tiles"], options, policy)
    token = None
    if options["token_file"] is not None:
        token = sources.read_token(options["token_file"])
    # Fetched whole before the tables are locked: no network holds up a transaction.
    with (
        tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix="restore-") as folder,
        sources.at(options["from_mirror"], token=token) as source,
    ):
        mirror.pull(source, into=Path(folder), policy=policy)
        return _restore_files(Path(folder), options, policy)


def _restore_files(folder: Path, options: dict[str, Any], policy: Policy) -> Restored:
    return restoring.restore(
        folder,
        policy=policy,
        now=timezone.now(),
        notary_forgot=options["notary_forgot"],
        kept_bodies=options["bodies"],
    )
