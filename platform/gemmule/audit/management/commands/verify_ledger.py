"""Replay the whole ledger, and hold the rows of every room against it."""

import ledger.management.commands.verify_ledger
from gemmule.audit import reconciliation
from ledger.inspection import Report


class Command(ledger.management.commands.verify_ledger.Command):
    """Exit 0 when ledger and rows hold, 1 when they do not.

    Takes the place of the ledger's own command, which knows no other room.
    """

    help = (
        "replay the ledger, compare every table with it, hold consents, requests, "
        "releases and roles against its opened bodies, and report what is wrong"
    )

    def examine(self) -> Report:
        """Return what is wrong with the ledger, and with the rows beside it."""
        report = super().examine()
        report.findings.extend(reconciliation.findings())
        return report
