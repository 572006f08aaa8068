"""Run a whole Gemmule on this machine, with demo data and a cast to sign in as."""

import json
import os
import time
from argparse import SUPPRESS
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gemmule.accounts.models import Role
from gemmule.demo import cast, once, processes, scene, state, witnesses
from gemmule.demo.cohorts import EXOMES, PILOT
from gemmule.demo.visitor import PageFailed
from gemmule.demo.witnesses import MAX_WITNESSES, Witnesses
from ledger import keys
from ledger.errors import LedgerError


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
        parser.add_argument(
            "--once",
            metavar="DIR",
            help="do the main job once, without a browser, and end; results go to DIR",
        )
        parser.add_argument(
            "--witnesses",
            type=int,
            choices=range(1, MAX_WITNESSES + 1),
            metavar="N",
            help="run N witnesses beside it, all of which must cosign the ledger; a "
            "demo that has witnesses keeps them",
        )
        # The parts that need the database run as children, in the site's environment.
        parser.add_argument("--prepare", choices=("all", "pilot"), help=SUPPRESS)
        parser.add_argument("--play", nargs=2, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["prepare"]:
            for command in processes.MIGRATE:
                call_command(*command)
            call_sets = (PILOT,) if options["prepare"] == "pilot" else (PILOT, EXOMES)
            scene.prepare(now=timezone.now(), call_sets=call_sets)
            return
        if options["play"]:
            base, out = options["play"]
            try:
                once.run(base=base, out=Path(out))
            except (once.Broken, PageFailed) as error:
                raise CommandError(f"the main job broke: {error}") from error
            return
        try:
            if options["once"]:
                if options["witnesses"]:
                    raise CommandError("--witnesses goes with the demo that stays")
                self._once(Path(options["once"]))
            else:
                self._run(
                    port=options["port"],
                    fresh=options["fresh"],
                    count=options["witnesses"],
                )
        except (processes.SiteFailed, state.StateRefused, LedgerError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped; the data is kept.")

    def _once(self, out: Path) -> None:
        """Do the main job in a state of its own under `out`; print the result last."""
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CommandError(f"{out} is not an empty directory; name another")
        data_dir = out.resolve() / "state"
        data_dir.mkdir(parents=True)
        begun = time.monotonic()
        with processes.running(
            environment=_environment_of_its_own(data_dir),
            prepare=(("demo", "--prepare", "pilot"),),
        ) as site:
            setup = round(time.monotonic() - begun, 3)
            site.manage("demo", "--play", site.url, str(out.resolve()))
        result = json.loads((data_dir / once.RESULT).read_text())
        result["seconds"] = {"setup": setup, **result["seconds"]}
        self.stdout.write(json.dumps(result))

    def _run(self, *, port: int, fresh: bool, count: int | None) -> None:
        data_dir = settings.DATA_DIR
        state.check_is_ours(data_dir)
        with state.held(data_dir):
            if fresh:
                state.start_over(data_dir)
            self.stdout.write(f"Preparing the demo in {data_dir} ...")
            with (
                _witnesses(data_dir, count=count, port=port) as vouching,
                processes.running(
                    environment={
                        **os.environ,
                        "GEMMULE_DATA_DIR": str(data_dir),
                        **vouching.environment,
                    },
                    port=port,
                    prepare=(("demo", "--prepare", "all"),),
                    first=vouching.witnesses,
                    beside=vouching.publisher,
                ) as site,
            ):
                self.stdout.write(_welcome(site, vouching))
                self.stdout.flush()
                site.watch()


def _environment_of_its_own(data_dir: Path) -> dict[str, str]:
    """Return our environment without whatever it says of another site's state."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(("DATABASE_URL", "REDIS_URL"))
        and (not name.startswith("GEMMULE_") or name == "GEMMULE_LOG_LEVEL")
    }
    return {**kept, "GEMMULE_DATA_DIR": str(data_dir)}


def _witnesses(
    data_dir: Path, *, count: int | None, port: int
) -> AbstractContextManager[Witnesses]:
    """Return the witnesses of the demo; of one with a policy of its own, none."""
    if witnesses.VARIABLE in os.environ:
        if count:
            raise CommandError(
                f"{witnesses.VARIABLE} names a policy already; unset it to let the "
                "demo make its own witnesses"
            )
        return nullcontext(Witnesses())
    return witnesses.made(
        data_dir,
        count=count,
        logs=keys.verifiers(),
        first_port=port and port + 1,
    )


def _welcome(site: processes.Site, vouching: Witnesses) -> str:
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
        f"{_vouching(vouching)}"
        f"Logs: {site.log_dir}\nCtrl-C stops it; --fresh starts over.\n"
    )


def _vouching(vouching: Witnesses) -> str:
    if vouching.policy_file is None:
        return ""
    urls = "".join(f"  {url}\n" for url in vouching.urls)
    return (
        "Each checkpoint of the ledger is cosigned by all of its witnesses:\n"
        f"{urls}Policy: {vouching.policy_file}\n\n"
    )
