"""What a researcher finds in a release's file of variants."""

import gzip
from pathlib import Path

from django.conf import settings

from gemmule.releases import storage
from gemmule.releases.models import Release, ReleaseFile
from tests.gemmule.releases.conftest import Keyring


def stored(file: ReleaseFile) -> bytes:
    """Return the file as a download reads it."""
    with storage.reader(file) as read:
        return read(0, file.size_bytes + 1)


def lies_at(file: ReleaseFile) -> Path:
    """Return where the file lies on a site without a bucket."""
    return Path(settings.RELEASE_DIR) / file.path


def leftovers(release: Release) -> list[str]:
    """Return what lies in storage beside the files of the release itself."""
    kept = {lies_at(file) for file in release.files.all()}
    return [
        str(path)
        for path in settings.RELEASE_DIR.rglob("*")
        if not path.is_dir() and path not in kept
    ]


def builds() -> dict[int, list[int]]:
    """Return, by release, the tokens of the builds that have files."""
    return {one.release: list(one.tokens) for one in storage.folders()}


def plaintext(file: ReleaseFile, keyring: Keyring) -> str:
    return gzip.decompress(keyring.open(stored(file))).decode()


def columns(text: str) -> list[str]:
    header = next(line for line in text.splitlines() if line.startswith("#CHROM"))
    return header.split("\t")[9:]


def positions(text: str) -> set[int]:
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {int(line.split("\t")[1]) for line in rows}
