"""Keep the ledger's copies in the bucket, where the site has one.

Below the prefix `ledger/`: sealed bodies, tombstones and the last checkpoint, for the
day on which databases and data directory are lost or restored (`ledger.copies`).
"""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from gemmule.objects import places
from gemmule.objects.kept import Objects

_PREFIX = "ledger"
_WHOLE = 2**40


class BucketCopies:
    """Small files in a place for finished files; raises StorageAway."""

    def __init__(self, objects: Objects) -> None:
        """Keep the place."""
        self._objects = objects

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names directly below a folder, in order."""
        return self._objects.names(folder)

    def read(self, name: str) -> bytes | None:
        """Return a file, None where there is none."""
        try:
            with self._objects.reader(name) as read:
                return read(0, _WHOLE)
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file over what was there."""
        path = self._objects.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(data)
        self._objects.keep(name)


def of_ledger() -> list[BucketCopies]:
    """Return where the ledger's copies go besides its own folder."""
    if settings.S3 is None:
        return []
    root = Path(settings.DATA_DIR) / "ledger" / "outgoing"
    return [BucketCopies(places.bucket(_PREFIX, root))]
