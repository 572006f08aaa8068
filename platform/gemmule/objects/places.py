"""Which place keeps a room's files: what the settings say."""

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from gemmule.objects.kept import Objects

if TYPE_CHECKING:
    from gemmule.objects.bucket import Bucket

_CACHE = "cache"


def place(name: str, root: Path) -> Objects:
    """Return the place of a room's files: the folder `root`, or in the bucket."""
    return Folder(root) if settings.S3 is None else bucket(name, root)


def bucket(name: str, root: Path) -> "Bucket":
    """Return the place in the bucket, which must be set."""
    assert settings.S3 is not None, "a site without a bucket asks for it"
    # boto3 takes 0.4 s to load: only sites with a bucket shall wait for it.
    from gemmule.objects.bucket import Bucket  # noqa: PLC0415

    cache = Cache(root / _CACHE, settings.S3_CACHE_BYTES)
    return Bucket(settings.S3, f"{name}/", Folder(root), cache)


def is_shared() -> bool:
    """Tell whether other machines may hold copies of what is kept."""
    return settings.S3 is not None


def left_here(root: Path) -> list[Folder]:
    """Return where this machine may hold what is kept elsewhere: work and copies."""
    return [Folder(root), Folder(root / _CACHE)] if is_shared() else []
