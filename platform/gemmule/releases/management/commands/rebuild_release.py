"""Build a release again, and compare it with what was sealed."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gemmule.releases import rebuilding
from gemmule.releases.errors import RebuildRefused
from gemmule.releases.models import Release
from gemmule.releases.rebuilding import Rebuilt


class Command(BaseCommand):
    """Print one line of JSON; exit 0 when all came out the same, else 1."""

    help = (
        "build a release again from the consents, stores and request it was sealed "
        "with, compare the SHA-256 of what is inside each file with its manifest, and "
        "print one line of JSON; the release is not changed"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("release", help="its accession, GMR...")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild and report."""
        accession = options["release"]
        release = (
            Release.objects.select_related(
                "request__project__institution", "request__dataset", "key"
            )
            .filter(accession=accession)
            .first()
        )
        if release is None:
            raise CommandError("there is no release of this accession")
        try:
            found = rebuilding.rebuild(release)
        except RebuildRefused as error:
            self._print({"release": accession, "same": None, "reason": error.code})
            raise CommandError(str(error)) from error
        reason, told = _reason(found)
        self._print(_as_json(found, reason))
        if not found.is_same:
            raise CommandError(told)

    def _print(self, value: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(value, sort_keys=True))


def _reason(found: Rebuilt) -> tuple[str | None, str]:
    if found.is_same:
        return None, ""
    differing = ", ".join(one.name for one in found.files if one.sealed != one.rebuilt)
    if found.software:
        return "software-differs", (
            f"not the same: {differing or 'the counts'}; and it was sealed by other "
            f"versions of {', '.join(found.software)}"
        )
    return "content-differs", f"not the same: {differing or 'the counts'}"


def _as_json(found: Rebuilt, reason: str | None) -> dict[str, Any]:
    return {
        "release": found.release,
        "same": found.is_same,
        "reason": reason,
        "files": [
            {
                "name": one.name,
                "role": one.role,
                "sealed_sha256_plain": one.sealed,
                "rebuilt_sha256_plain": one.rebuilt,
            }
            for one in found.files
        ],
        "records": list(found.records),
        "genotypes_withheld": list(found.genotypes_withheld),
        "records_withheld": list(found.records_withheld),
        "software": {name: list(pair) for name, pair in found.software.items()},
    }
