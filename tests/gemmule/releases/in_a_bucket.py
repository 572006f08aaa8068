"""What tests of a site with a bucket share: its address, and how files are read."""

import dataclasses
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from gemmule.accounts.models import User
from gemmule.objects import places
from gemmule.objects.address import Address
from gemmule.releases import delivery
from gemmule.releases.models import (
    Release,
    ReleaseFile,
)
from tests.gemmule.releases.conftest import Clock
from tests.seaweed import Seaweed


@pytest.fixture(autouse=True)
def address(seaweed: Seaweed, settings: Settings, folders: None) -> Address:
    """Let stores and releases of this test be in the bucket."""
    settings.S3, settings.S3_CACHE_BYTES = seaweed.address, 1 << 30
    for root in ("store", "releases"):
        place = places.place(root, settings.STORE_DIR)
        for name in list(place.names()):
            place.delete(name)
    return seaweed.address


@pytest.fixture
def away(address: Address) -> Address:
    """Return the address of a storage at which nobody listens."""
    return dataclasses.replace(address, endpoint="http://127.0.0.1:9")


def local_files(settings: Settings) -> list[str]:
    return [
        str(path.relative_to(root))
        for root in (settings.STORE_DIR, settings.RELEASE_DIR)
        for path in root.rglob("*")
        if path.is_file() and "cache" not in path.relative_to(root).parts
    ]


def opened(user: User, file: ReleaseFile, clock: Clock, **headers: str) -> Any:
    release = Release.objects.select_related("request__project", "key").get(
        pk=file.release_id
    )
    return delivery.open_file(
        user=user,
        release=release,
        file=file,
        range_header=headers.get("range_header"),
        if_range=headers.get("if_range"),
        clock=clock,
    )
