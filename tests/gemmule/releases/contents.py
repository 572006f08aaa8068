"""What a researcher finds in a release's file of variants."""

import gzip

from gemmule.releases import storage
from gemmule.releases.models import ReleaseFile
from tests.gemmule.releases.conftest import Keyring


def plaintext(file: ReleaseFile, keyring: Keyring) -> str:
    return gzip.decompress(keyring.open(storage.path_of(file).read_bytes())).decode()


def columns(text: str) -> list[str]:
    header = next(line for line in text.splitlines() if line.startswith("#CHROM"))
    return header.split("\t")[9:]


def positions(text: str) -> set[int]:
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {int(line.split("\t")[1]) for line in rows}
