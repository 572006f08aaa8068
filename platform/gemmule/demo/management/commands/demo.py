"""Run a whole Gemmule on this machine, with demo data and a cast to sign in as."""

import os
from argparse import SUPPRESS
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gemmule.accounts.models import Role
from gemmule.demo import cast, processes, scene, state


class Command(BaseCommand):
    help = (
        "Set up the demo, start its web server and worker, print the address and how "
        "to sign in. Ctrl-C stops it; started again it continues with its data."
    )
    # The children check themselves when they start.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="default: 8000")
        parser.add_argument("--fresh", action="store_true", help="start over")
        # The part that needs the database runs as a child, in the site's environment.
        parser.add_argument("--prepare", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["prepare"]:
            for command in processes.MIGRATE:
                call_command(*command)
            scene.prepare(now=timezone.now())
            return
        try:
            self._run(port=options["port"], fresh=options["fresh"])
        except (processes.SiteFailed, state.StateRefused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped; the data is kept.")

    def _run(self, *, port: int, fresh: bool) -> None:
        data_dir = settings.DATA_DIR
        state.check_is_ours(data_dir)
        with state.held(data_dir):
            if fresh:
                state.start_over(data_dir)
            self.stdout.write(f"Preparing the demo in {data_dir} ...")
            with processes.running(
                environment={**os.environ, "GEMMULE_DATA_DIR": str(data_dir)},
                port=port,
                prepare=(("demo", "--prepare"),),
            ) as site:
                self.stdout.write(_welcome(site))
                self.stdout.flush()
                site.watch()


def _welcome(site: processes.Site) -> str:
    width = max(len(member.email) for member in cast.CAST)
    people = "\n".join(
        f"  {member.email:{width}}  {member.name}, "
        + ", ".join(Role(role).label for role in member.roles)
        for member in cast.CAST
    )
    return (
        f"\nGemmule is at {site.url}\n\n"
        f"Sign in as any of these; the password of each is {cast.PASSWORD}\n"
        f"{people}\n\n"
        f"Logs: {site.log_dir}\nCtrl-C stops it; --fresh starts over.\n"
    )
