"""Replay the whole ledger and say in plain words what is wrong with it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.inspection import Report, inspect
from ledger.tlog import canonical


class Command(BaseCommand):
    """Exit 0 when the ledger holds, 1 when it does not."""

    help = "replay the ledger, compare every table with it, and report what is wrong"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object instead of words"
        )

    def examine(self) -> Report:
        """Return what is wrong with the ledger; a higher room finds more."""
        return inspect()

    def handle(self, *args: Any, **options: Any) -> None:
        """Inspect and report."""
        report = self.examine()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report)))
        else:
            for finding in report.findings:
                self.stdout.write(f"{finding.code}: {finding.message}")
        if not report.is_sound:
            raise CommandError(
                f"the ledger does not hold: {len(report.findings)} finding(s)"
            )
        if not options["json"]:
            self.stdout.write(
                f"the ledger holds: {report.entries} entries, {report.published} of "
                f"them under a signed checkpoint, {report.pending} pending, "
                f"{report.erased} erased; "
                f"root {canonical.encode_base64(report.root)}"
            )


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "sound": report.is_sound,
        "entries": report.entries,
        "published": report.published,
        "pending": report.pending,
        "erased": report.erased,
        "root": canonical.encode_base64(report.root),
        "findings": [
            {
                "code": finding.code,
                "message": finding.message,
                "seq": finding.seq,
                "event": None if finding.event is None else str(finding.event),
            }
            for finding in report.findings
        ],
    }
