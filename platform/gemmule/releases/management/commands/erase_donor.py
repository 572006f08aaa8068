"""Erase a donor who asked for it by phone, on paper or by mail; or go on with it."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent.models import Channel, Donor
from gemmule.accounts.selectors import account_of
from gemmule.releases import erasure, services
from gemmule.releases.models import Erasure, ErasureStage


class Command(BaseCommand):
    help = (
        "Erase everything about a donor, whom you have identified before; or carry on "
        "every erasure that is not done yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("donor", nargs="?", type=UUID, help="the donor's id")
        parser.add_argument(
            "--channel",
            choices=[Channel.PHONE, Channel.PAPER, Channel.MAIL],
            help="how she asked; needed with an id",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["donor"] is not None:
            self._begin(options["donor"], options["channel"])
        for one in Erasure.objects.exclude(stage=ErasureStage.DONE):
            erasure.run(one.pk, clock=timezone.now)
            one.refresh_from_db()
            self.stdout.write(f"{one}: {one.get_stage_display()}")
        left = Erasure.objects.exclude(stage=ErasureStage.DONE).count()
        if left:
            raise CommandError(
                f"{left} not done yet; a worker goes on, or run this command again"
            )

    def _begin(self, donor_id: UUID, channel: str | None) -> None:
        if channel is None:
            raise CommandError("say with --channel how she asked")
        donor = Donor.objects.filter(pk=donor_id).first()
        if donor is None:
            raise CommandError("there is no donor with this id, or she is erased")
        services.begin_erasure(
            donor=donor, user=account_of(donor), channel=channel, now=timezone.now()
        )
