"""A bucket of the real server, with folders of this test alone."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from gemmule.objects.bucket import Bucket
from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from tests.seaweed import Seaweed

Machine = Callable[[str], Bucket]


@pytest.fixture
def machine(seaweed: Seaweed, tmp_path: Path) -> Machine:
    """Return a function that gives the bucket as the machine of that name sees it."""
    prefix = f"{uuid4()}/"

    def made(name: str) -> Bucket:
        root = tmp_path / name
        cache = Cache(root / "cache", max_bytes=1 << 30)
        return Bucket(seaweed.address, prefix, Folder(root), cache)

    return made


def kept(bucket: Bucket, key: str, content: bytes) -> None:
    path = bucket.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    bucket.keep(key)
