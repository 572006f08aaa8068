"""Put the log back, let the rows of every room follow it, and hold releases."""

from typing import Any

from django.core.management import call_command
from django.utils import timezone

from gemmule.releases import holding, holds, replaying
from gemmule.releases.hold import HoldCode
from ledger.management.commands.restore_ledger import Command as RestoreLedger


class Command(RestoreLedger):
    """Releases stay shut before, and until two administrators have read the findings.

    Whatever breaks off is made up for by running it again.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Hold, restore, replay, and erase again who was erased."""
        holds.place(code=HoldCode.RESTORED, now=timezone.now())
        super().handle(*args, **options)
        findings = replaying.replay(now=timezone.now())
        holds.place(code=HoldCode.RESTORED, findings=findings, now=timezone.now())
        for each in findings:
            self.stdout.write(f"{each.code}: {each.message}")
        call_command("replay_erasures", stdout=self.stdout)
        holding.refresh(now=timezone.now(), ask_everybody=True)
        self.stdout.write(
            "releases are held until two administrators have read these findings on "
            "the page Holds and signed; `hold_releases --show` lists the holds"
        )
