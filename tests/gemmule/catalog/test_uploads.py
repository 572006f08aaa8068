"""Uploaded bytes lie whole in the store, or not at all."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.catalog import services, storage
from gemmule.catalog.errors import UploadRefused
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from tests.gemmule.catalog.callsets import Check, Upload, vcf

pytestmark = pytest.mark.django_db


def test_upload_lies_under_its_id_alone(
    upload: Upload, dataset: Dataset, store: Path
) -> None:
    file = upload(vcf(), "../../etc/Ada Brandt\u202e.vcf")
    path = storage.source_path(file)
    assert path.relative_to(store).parts == (str(file.pk), "source")
    assert path.read_bytes() == vcf()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert file.original_name == "Ada Brandt.vcf"
    assert (file.number, file.size_bytes) == (1, len(vcf()))


def test_upload_has_itself_checked_after_the_commit(
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        services, "nudge", lambda task, *args: sent.append((task.name, args))
    )
    with django_capture_on_commit_callbacks(execute=True):
        file = upload(vcf())
        assert sent == []
    assert sent == [("catalog.check_file", (str(file.pk),))]


@pytest.mark.parametrize(
    ("data", "message"), [(b"", "empty"), (b"x" * 101, "longer than 100 bytes")]
)
def test_upload_of_a_wrong_length_leaves_nothing(
    data: bytes, message: str, upload: Upload, store: Path, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    with pytest.raises(UploadRefused, match=message):
        upload(data)
    assert not DataFile.objects.exists()
    assert list(store.iterdir()) == []


def test_upload_that_breaks_off_leaves_nothing(
    sven: User, dataset: Dataset, store: Path, now: datetime
) -> None:
    class Dropped(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(3)

    with pytest.raises(ConnectionResetError):
        services.upload_file(
            user=sven,
            dataset=dataset,
            stream=Dropped(vcf()),
            original_name="calls.vcf",
            now=now,
        )
    assert not DataFile.objects.exists()
    assert list(store.iterdir()) == []


def test_full_disk_is_told_as_such(
    upload: Upload, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(UploadRefused, match="no room left"):
        upload(vcf())
    assert list(store.iterdir()) == []


def test_same_bytes_are_taken_in_once(upload: Upload, store: Path) -> None:
    file = upload(vcf())
    with pytest.raises(UploadRefused, match="file 1 of the dataset"):
        upload(vcf(), "again.vcf")
    assert [path.name for path in store.iterdir()] == [str(file.pk)]


def test_same_bytes_may_come_again_after_a_refusal(
    upload: Upload, check: Check
) -> None:
    refused = check(upload(b"no VCF at all\n"))
    assert refused.state == DataFileState.REFUSED
    assert upload(b"no VCF at all\n").number == 2


def test_dataset_holds_a_limited_number_of_files(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_FILES", 1)
    upload(b"one")
    with pytest.raises(UploadRefused, match="at most 1 files"):
        upload(b"two")


def test_removed_file_takes_its_bytes_along(
    sven: User,
    upload: Upload,
    dataset: Dataset,
    store: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept, gone = upload(b"one"), upload(b"two")
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_file(user=sven, dataset=dataset, number=gone.number)
    assert list(dataset.files.all()) == [kept]
    assert [path.name for path in store.iterdir()] == [str(kept.pk)]
    with pytest.raises(NotFound):
        services.remove_file(user=sven, dataset=dataset, number=gone.number)


def test_numbers_of_files_go_on_after_a_removal(
    sven: User, upload: Upload, dataset: Dataset
) -> None:
    upload(b"one")
    upload(b"two")
    services.remove_file(user=sven, dataset=dataset, number=1)
    assert upload(b"three").number == 3
