"""Rows of a sealed release that were edited hand out nothing of it, or of another."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.releases import closing, delivery
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseFile
from tests.gemmule.access.conftest import draft, project, submitted
from tests.gemmule.api.conftest import (
    approved,
    available,
    dataset,
    folders,
    now,
    release,
)
from tests.gemmule.api.sealing import seal_release
from tests.gemmule.releases.conftest import Keyring, keyring

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]

pytestmark = pytest.mark.django_db
Edit = Callable[[Release, Release], object]


def answer(release: Release, user: User, now: datetime) -> str:
    """Return what a request for the file is answered with, all rows read anew."""
    file = ReleaseFile.objects.select_related("release__request__project").get(
        release=release.pk
    )
    try:
        opened = delivery.open_file(
            user=user,
            release=file.release,
            file=file,
            range_header="bytes=0-9",
            if_range=None,
            clock=lambda: now,
        )
        return f"{len(next(opened.chunks))} bytes"
    except DeliveryRefused as error:
        return error.code


@pytest.fixture
def ended(available: Release, rosa: User, ira: User, now: datetime) -> Release:
    """Return a revoked release; one of the same request is open again."""
    closing.revoke(user=ira, release=available, reason="Stop.", now=now)
    available.refresh_from_db()
    return available


@pytest.fixture
def live(ended: Release, rosa: User, keyring: Keyring, now: datetime) -> Release:
    again = Release.objects.create(
        accession="GMR0000001",
        request=ended.request,
        recipient=rosa,
        key=keyring.key,
        created_at=now,
        expires_on=ended.expires_on,
    )
    return seal_release(again, now=now)


def read_from_its_folder(live: Release, ended: Release) -> None:
    path = ReleaseFile.objects.get(release=ended).path
    ReleaseFile.objects.filter(release=live).update(path=path)


def climb_to_its_folder(live: Release, ended: Release) -> None:
    path = ReleaseFile.objects.get(release=ended).path
    ReleaseFile.objects.filter(release=live).update(path=f"{live.pk:08d}/../{path}")


def take_its_file(live: Release, ended: Release) -> None:
    ReleaseFile.objects.filter(release=live).delete()
    ReleaseFile.objects.filter(release=ended).update(release=live)


def change_the_manifest(live: Release, ended: Release) -> None:
    Release.objects.filter(pk=live.pk).update(manifest=b'{"manifest": {}}')


EDITS: list[Edit] = [
    read_from_its_folder,
    climb_to_its_folder,
    take_its_file,
    change_the_manifest,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edited_row_hands_out_nothing(
    edit: Edit, live: Release, ended: Release, rosa: User, now: datetime
) -> None:
    edit(live, ended)
    assert answer(live, rosa, now) == "rows-altered"


def test_a_sealed_release_that_nobody_edited_is_handed_out(
    live: Release, rosa: User, now: datetime
) -> None:
    assert answer(live, rosa, now) == "10 bytes"


def test_a_row_with_the_seal_of_another_hands_out_nothing(
    live: Release, ended: Release, rosa: User, now: datetime
) -> None:
    event = live.donors.values_list("consent__event", flat=True).first()
    seal = {"event": live.event, "manifest": live.manifest}
    Release.objects.filter(pk=live.pk).update(
        event=event, state="failed", failure_reason="-"
    )
    Release.objects.filter(pk=ended.pk).update(
        **seal,
        manifest_sha256=live.manifest_sha256,
        state="available",
        event_revoked=None,
    )
    assert answer(ended, rosa, now) == "rows-altered"


def test_a_longer_last_day_hands_out_nothing(
    available: Release, rosa: User, now: datetime
) -> None:
    later = now + timedelta(days=366)
    assert answer(available, rosa, later) == "release-expired"
    for model in (Release, AccessRequest):
        model.objects.update(expires_on=later + timedelta(days=99))
    assert answer(available, rosa, later - timedelta(days=1)) == "10 bytes"
    assert answer(available, rosa, later) == "rows-altered"
