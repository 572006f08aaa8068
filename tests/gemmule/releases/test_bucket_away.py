"""The bucket stands still, trickles, or is gone: nothing hangs, nothing is lost."""

import dataclasses
import io
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

import gemmule.accounts.services
import gemmule.catalog.intake
import gemmule.catalog.services
import gemmule.catalog.storage
import gemmule.catalog.upkeep
from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.objects import places
from gemmule.objects.address import Address
from gemmule.objects.bucket import Bucket
from gemmule.objects.kept import StorageAway
from gemmule.releases import build, delivery, gate, services, storage, upkeep
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseFile,
    ReleaseState,
)
from tests import waiting
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import builds, stored
from tests.gemmule.releases.in_a_bucket import address as address
from tests.gemmule.releases.in_a_bucket import away as away
from tests.gemmule.releases.in_a_bucket import local_files, opened
from tests.gemmule.releases.trickle import trickling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_storage_that_goes_away_stops_a_download_and_loses_nothing(
    rosa: User,
    variants: ReleaseFile,
    clock: Clock,
    away: Address,
    address: Address,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    signed_in: Callable[[User], Client],
) -> None:
    monkeypatch.setattr(gate, "CHUNK_BYTES", 100)
    monkeypatch.setattr(delivery, "_PAUSES_S", (0.01, 0.01))
    whole = stored(variants)
    real, taken = gate.pass_chunk, list[bytes]()

    def pass_chunk(release_id: int, user: User, read: Any, **more: Any) -> bytes:
        if len(taken) == 2:
            raise StorageAway("away")
        taken.append(real(release_id, user, read, **more))
        return taken[-1]

    monkeypatch.setattr(gate, "pass_chunk", pass_chunk)
    stream = opened(rosa, variants, clock).chunks
    got = next(stream) + next(stream)
    with pytest.raises(StorageAway):
        next(stream)
    download = Download.objects.get()
    assert (download.outcome, download.bytes_sent) == ("interrupted", 200)
    monkeypatch.setattr(gate, "pass_chunk", real)
    rest = opened(rosa, variants, clock, range_header="bytes=200-")
    assert got + b"".join(rest.chunks) == whole

    # Away from the beginning: an answer that says so.
    settings.S3 = away
    release = variants.release
    token = gemmule.accounts.services.issue_token(
        user=rosa, name="reader", expiry=timedelta(days=1)
    )
    answer = Client().get(
        f"/api/v1/releases/{release.accession}/files/{variants.name}",
        headers={"Authorization": f"Token {token}"},
    )
    assert answer.status_code == 503
    assert answer.json()["code"] == "storage-away"
    assert "nothing is lost" in answer.json()["detail"]
    assert answer.headers["Retry-After"]
    page = signed_in(rosa).get(
        f"/research/releases/{release.accession}/files/{variants.name}"
    )
    assert page.status_code == 503
    assert b"nothing is lost" in page.content

    # There, but without the file.
    settings.S3 = address
    place = places.place("releases", settings.RELEASE_DIR)
    place.delete(variants.path)
    with pytest.raises(StorageAway, match="not where it was kept"):
        next(opened(rosa, variants, clock).chunks)


def test_a_storage_that_only_trickles_does_not_hold_up_a_withdrawal(
    rosa: User,
    donors: list[Donor],
    variants: ReleaseFile,
    clock: Clock,
    address: Address,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "_READ_WITHIN_S", 3)
    monkeypatch.setattr(delivery, "_PAUSES_S", ())
    with trickling(variants.size_bytes) as (endpoint, finish):
        settings.S3 = dataclasses.replace(address, endpoint=endpoint)
        outcome: list[object] = []
        reading = threading.Event()
        real = storage.reader

        def told(file: ReleaseFile) -> Any:
            reading.set()
            return real(file)

        monkeypatch.setattr(storage, "reader", told)

        def read() -> None:
            try:
                outcome.append(next(opened(rosa, variants, clock).chunks))
            except StorageAway as error:
                outcome.append(error)
            finally:
                connection.close()

        reader = threading.Thread(target=read)
        reader.start()
        waiting.until(reading.is_set, what="the reader")
        waiting.until(lambda: _locks(variants.release_id) == 1, what="its lock")
        began = time.monotonic()
        services.withdraw_consent(
            donor=donors[7], channel="donor", event=uuid.uuid4(), now=clock()
        )
        assert time.monotonic() - began < 10
        assert outcome == [], "the reader still waits for the storage"
        finish.set()
        reader.join(timeout=30)
    # What it got at last was taken under no lock any more, and is not handed on.
    assert isinstance(outcome[0], StorageAway)


def _locks(release_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s",
            [release_id],
        )
        (count,) = cursor.fetchone()
    return int(count)


def test_a_build_waits_for_a_storage_that_is_away(
    release: Release, clock: Clock, away: Address, address: Address, settings: Settings
) -> None:
    settings.S3 = away
    for _ in range(build.MAX_ATTEMPTS + 1):
        assert build.run(release.pk, clock=clock) is None
        release.refresh_from_db()
        assert (release.state, release.attempts) == (ReleaseState.REQUESTED, 0)
        assert upkeep.left_behind(now=clock()) == []
        clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
        assert upkeep.left_behind(now=clock()) == [release.pk]
    settings.S3 = address
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    upkeep.tidy()
    release.refresh_from_db()
    assert builds() == {release.pk: [release.fencing_token]}
    assert local_files(settings) == []


def test_nothing_is_cut_for_a_bucket_that_keeps_old_versions(
    release: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bucket, "versioning", lambda _: "Enabled")
    monkeypatch.setattr(build, "_cut", None)
    assert build.run(release.pk, clock=clock) is None
    release.refresh_from_db()
    assert (release.state, release.attempts) == (ReleaseState.REQUESTED, 0)
    monkeypatch.undo()
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_a_build_that_cannot_put_its_files_leaves_none_of_them_behind(
    release: Release,
    clock: Clock,
    away: Address,
    address: Address,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first file is in the bucket when the storage goes away before the second."""
    real, put = storage.keep, list[Path]()

    def keep(path: Path) -> None:
        if put:
            settings.S3 = away
        put.append(path)
        real(path)

    monkeypatch.setattr(storage, "keep", keep)
    assert build.run(release.pk, clock=clock) is None
    settings.S3 = address
    monkeypatch.setattr(storage, "keep", real)
    assert not release.files.exists()
    assert local_files(settings) == []
    assert builds() == {release.pk: [1]}
    assert upkeep.tidy() == 1
    assert builds() == {release.pk: []}
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_a_check_waits_for_a_storage_that_is_away(
    dataset: Dataset,
    sven: User,
    clock: Clock,
    away: Address,
    address: Address,
    settings: Settings,
) -> None:
    catalog = gemmule.catalog.services
    made = catalog.register_dataset(
        user=sven,
        description=Description(
            title="More people", summary="More people for tests.", build="GRCh37"
        ),
        now=clock(),
    )

    def upload() -> DataFile:
        return catalog.upload_file(
            user=sven,
            dataset=made,
            stream=io.BytesIO(cohort_file.vcf()),
            original_name="thirty.vcf",
            now=clock(),
        )

    settings.S3 = away
    with pytest.raises(StorageAway, match="nothing is lost"):
        upload()
    assert not made.files.exists()
    settings.S3 = address
    file = upload()
    settings.S3 = away
    for _ in range(gemmule.catalog.intake.MAX_ATTEMPTS + 1):
        assert gemmule.catalog.intake.check(file.pk, clock=clock) is None
        file.refresh_from_db()
        assert (file.state, file.attempts) == (DataFileState.UPLOADED, 0)
        clock.tick(minutes=2)
    settings.S3 = address
    state = gemmule.catalog.intake.check(file.pk, clock=clock)
    assert state == DataFileState.ACCEPTED
    place = places.place("store", settings.STORE_DIR)
    assert list(place.names(str(file.pk))) == [
        "store-1",
        "store-1.columns",
        "store-1.csi",
    ]
