"""Erase again, after a backup was restored, whoever came back with it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

import ledger.erasure
from consent.models import Channel
from gemmule.accounts.selectors import account_of
from gemmule.releases import erasure, services
from gemmule.releases.models import Erasure, ErasureStage


class Command(BaseCommand):
    help = (
        "Carry out every tombstone of an erased key again. Run it after any restore, "
        "before the site is opened."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        replayed = ledger.erasure.replay(now=now)
        self.stdout.write(
            f"{replayed.keys} keys and {replayed.bodies} bodies were back, and are gone"
        )
        revived = list(erasure.revived())
        for donor in revived:
            services.begin_erasure(
                donor=donor, user=account_of(donor), channel=Channel.MAIL, now=now
            )
        for one in Erasure.objects.exclude(stage=ErasureStage.DONE):
            erasure.run(one.pk, clock=timezone.now)
        self.stdout.write(f"{len(revived)} donors were back")
        if Erasure.objects.exclude(stage=ErasureStage.DONE).exists():
            raise CommandError("not all of it is done yet; run this command again")
