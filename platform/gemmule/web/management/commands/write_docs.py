"""Write the pages under docs/ that are derived from the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from gemmule.web import transitions

_DOCS = Path(__file__).resolve().parents[5] / "docs"


class Command(BaseCommand):
    help = "Write docs/states.md anew from the tables of states in the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--into", type=Path, default=_DOCS, help="another folder than docs/"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["into"] / "states.md"
        path.write_text(transitions.page(), encoding="utf-8")
        self.stdout.write(f"wrote {path}")
