"""The main job with stores and releases in a bucket: the same bytes, the same gate."""

import shutil
import threading
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pytest_django.fixtures import Settings

import gemmule.accounts.services
import gemmule.catalog.intake
import gemmule.catalog.services
import gemmule.catalog.storage
import gemmule.catalog.upkeep
import gemmule.objects.copies
import ledger.bodies
import ledger.copies
import ledger.rollback
import ledger.selectors
from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import ResearcherKey, User
from gemmule.catalog.models import Dataset
from gemmule.objects import places
from gemmule.releases import build, erasure, gate, services, upkeep
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import (
    ErasureStage,
    Release,
    ReleaseFile,
    ReleaseState,
)
from ledger.models import Head
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import builds, lies_at, stored
from tests.gemmule.releases.in_a_bucket import address as address
from tests.gemmule.releases.in_a_bucket import away as away
from tests.gemmule.releases.in_a_bucket import local_files, opened
from tests.gemmule.releases.sweeping import Sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_release_from_the_bucket_is_the_one_from_the_folder(
    rosa: User,
    dataset: Dataset,
    approved: AccessRequest,
    built: Release,
    keyring: Keyring,
    clock: Clock,
    settings: Settings,
) -> None:
    assert local_files(settings) == []
    (source,) = dataset.files.all()
    shared = {file.role: file for file in built.files.all()}
    # The same store, in the folder; the same request, for another key.
    with gemmule.catalog.storage.store_at_hand(source) as store:
        there = settings.STORE_DIR / str(source.pk)
        shutil.copytree(store.parent, there)
    settings.S3 = None
    key = ResearcherKey.objects.create(
        user=rosa,
        name="second",
        public_key=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        fingerprint="cd" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=clock(),
        registered_at=clock(),
    )
    local = services.open_release(user=rosa, request=approved, key=key, now=clock())
    assert build.run(local.pk, clock=clock) == ReleaseState.SEALED
    for file in local.files.all():
        assert lies_at(file).is_file()
        assert (file.sha256_plain, file.size_bytes) == (
            shared[file.role].sha256_plain,
            shared[file.role].size_bytes,
        )


def test_downloads_resume_and_end_with_the_withdrawal(
    rosa: User,
    donors: list[Donor],
    variants: ReleaseFile,
    keyring: Keyring,
    clock: Clock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "CHUNK_BYTES", 100)
    whole = stored(variants)
    assert keyring.open(whole).startswith(b"\x1f\x8b")
    first = opened(rosa, variants, clock)
    head = next(first.chunks) + next(first.chunks)
    first.chunks.close()
    rest = opened(rosa, variants, clock, range_header="bytes=200-", if_range=first.etag)
    assert rest.is_partial
    assert head + b"".join(rest.chunks) == whole
    part = opened(rosa, variants, clock, range_header="bytes=10-19")
    assert b"".join(part.chunks) == whole[10:20]
    stream = opened(rosa, variants, clock).chunks
    next(stream)
    services.withdraw_consent(
        donor=donors[7], channel="donor", event=uuid.uuid4(), now=clock()
    )
    with pytest.raises(DeliveryRefused, match="withdrew"):
        next(stream)
    with pytest.raises(DeliveryRefused):
        opened(rosa, variants, clock, range_header="bytes=200-")


def test_an_erased_donor_is_in_no_bucket_and_no_cache(
    dataset: Dataset,
    donors: list[Donor],
    built: Release,
    clock: Clock,
    settings: Settings,
    tmp_path: Path,
) -> None:
    (before,) = dataset.files.all()
    # What another machine has: a copy, and work of an attempt that was killed there.
    other = tmp_path / "other" / "store"
    shutil.copytree(settings.STORE_DIR / "cache", other / "cache")
    (other / str(before.pk)).mkdir()
    shutil.copy(
        next((other / "cache").rglob("store-1/store-1")),
        other / str(before.pk) / "store-0",
    )
    sought = Sweep({"sample": cohort_file.NAMES[0]})
    sought.files(other)
    assert len(sought.found["sample"]) == 3

    begun = services.begin_erasure(
        donor=donors[0], user=None, channel="mail", now=clock()
    )
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.STORES
    # No child of another machine can hold her any more, but copies may.
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.STORES
    ended = threading.Event()
    ended.set()
    settings.STORE_DIR, mine = other, settings.STORE_DIR
    upkeep.keep_tidy(until=ended, clock=clock)
    settings.STORE_DIR = mine
    clock.tick(seconds=upkeep.TIDIED_WITHIN.total_seconds())
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE

    (after,) = dataset.files.all()
    assert after.attempts == before.attempts + 1
    sought = Sweep({"sample": cohort_file.NAMES[0]})
    sought.files(tmp_path)
    with gemmule.catalog.storage.store_at_hand(after) as store:
        sought.files(store.parent)
    assert sought.found == {"sample": set()}
    place = places.place("store", settings.STORE_DIR)
    assert list(place.names(str(after.pk))) == [
        "store-2",
        "store-2.columns",
        "store-2.csi",
    ]
    assert builds() == {}


def test_the_ledgers_copies_are_in_the_bucket_and_show_that_rows_went_back(
    built: Release, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.bodies.copy_out()
    (copies,) = gemmule.objects.copies.of_ledger()
    here = ledger.copies.here()
    assert copies.read(ledger.bodies.CHECKPOINT) == here.read("checkpoint")
    size = ledger.selectors.tree_size()
    kept = ledger.bodies.find([copies], start=0, end=size)
    assert len(kept) == size
    assert copies.read("bodies/nothing") is None
    # What the bucket holds is all that is left of what was signed.
    shutil.rmtree(settings.DATA_DIR / "ledger")
    monkeypatch.setattr(Head.objects, "first", lambda: None)
    ledger.rollback.forget()
    assert [each.code for each in ledger.rollback.proofs()] == ["rows-behind"]
