"""A bucket that keeps old versions keeps who was erased: refused, and cleaned."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from pytest_django.fixtures import Settings

from gemmule.objects import checks
from gemmule.objects.address import Address
from gemmule.objects.bucket import Bucket
from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from gemmule.objects.kept import StorageAway
from tests.gemmule.objects.conftest import kept
from tests.seaweed import Seaweed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """A bucket of this test alone, whose versioning can be switched."""

    bucket: Bucket
    address: Address
    client: Any

    def switch(self, status: str) -> None:
        self.client.put_bucket_versioning(
            Bucket=self.address.bucket, VersioningConfiguration={"Status": status}
        )

    def every(self) -> list[str]:
        """Return the keys of all versions there are, deleted ones too."""
        answer = self.client.list_object_versions(Bucket=self.address.bucket)
        found = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return sorted(one["Key"] for one in found)


def seen_at(address: Address, tmp_path: Path) -> Bucket:
    cache = Cache(tmp_path / "cache", max_bytes=1 << 30)
    return Bucket(address, "store/", Folder(tmp_path), cache)


@pytest.fixture
def versions(seaweed: Seaweed, tmp_path: Path) -> Iterator[Versions]:
    address = dataclasses.replace(seaweed.address, bucket=f"v-{uuid4()}")
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint,
        region_name=address.region,
        aws_access_key_id=address.access_key_id,
        aws_secret_access_key=address.secret_access_key,
    )
    client.create_bucket(Bucket=address.bucket)
    bucket = seen_at(address, tmp_path)
    yield Versions(bucket=bucket, address=address, client=client)
    client.close()


def test_nothing_is_put_where_it_would_outlive_its_deletion(
    versions: Versions,
) -> None:
    versions.switch("Enabled")
    with pytest.raises(StorageAway, match="suspend its versioning"):
        kept(versions.bucket, "7/store-1", b"genotypes")
    assert versions.every() == []
    assert versions.bucket.path("7/store-1").is_file(), "it can be kept later"
    versions.switch("Suspended")
    versions.bucket.keep("7/store-1")
    assert versions.every() == ["store/7/store-1"]


@pytest.mark.parametrize("then", ["Enabled", "Suspended"])
def test_a_deletion_takes_old_versions_and_nothing_beside_them(
    versions: Versions, then: str
) -> None:
    for key in ("7/store-1", "7/store-10", "8/store-1"):
        kept(versions.bucket, key, b"x")
    versions.switch("Enabled")
    for _ in range(2):
        versions.client.put_object(
            Bucket=versions.address.bucket, Key="store/7/store-1", Body=b"old"
        )
    # Hidden, but there.
    versions.client.delete_object(Bucket=versions.address.bucket, Key="store/7/store-1")
    assert versions.every().count("store/7/store-1") == 4
    versions.switch(then)
    versions.bucket.delete("7/store-1")
    assert versions.every() == ["store/7/store-10", "store/8/store-1"]
    versions.bucket.delete("7")
    versions.bucket.delete("8")
    assert versions.every() == []


def test_a_version_under_lock_is_not_said_to_be_deleted(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    address = dataclasses.replace(seaweed.address, bucket=f"{uuid4()}")
    bucket = seen_at(address, tmp_path)
    name = {"Bucket": address.bucket}
    place = {"Key": "store/7", "VersionId": "v1"}
    with Stubber(bucket._client()) as answers:
        answers.add_response("list_multipart_uploads", {})
        answers.add_response("get_bucket_versioning", {"Status": "Enabled"})
        answers.add_response("list_object_versions", {"Versions": [place]})
        answers.add_client_error(
            "delete_object", "AccessDenied", expected_params=name | place
        )
        with pytest.raises(StorageAway):
            bucket.delete("7")
        answers.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("", []),
        ("Enabled", ["gemmule.E102"]),
        ("Suspended", ["gemmule.W103"]),
    ],
)
def test_a_check_says_what_the_bucket_keeps(
    versions: Versions, settings: Settings, status: str, found: list[str]
) -> None:
    settings.S3 = versions.address
    if status:
        versions.switch(status)
    assert [one.id for one in checks.check_versions()] == found


@pytest.mark.parametrize(
    ("code", "found"),
    [("NotImplemented", []), ("AccessDenied", ["gemmule.E101"])],
)
def test_a_storage_without_versions_is_fine_and_a_silent_one_is_not(
    seaweed: Seaweed,
    tmp_path: Path,
    settings: Settings,
    code: str,
    found: list[str],
) -> None:
    settings.S3 = dataclasses.replace(seaweed.address, bucket=f"{uuid4()}")
    with Stubber(seen_at(settings.S3, tmp_path)._client()) as answers:
        answers.add_client_error("get_bucket_versioning", code)
        assert [one.id for one in checks.check_versions()] == found
    settings.S3 = None
    assert checks.check_versions() == []
