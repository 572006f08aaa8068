"""A bucket on a real server: whole or not there, signed or refused, gone when gone."""

import dataclasses
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from gemmule.objects import bucket as bucket_module
from gemmule.objects.bucket import Bucket
from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from gemmule.objects.kept import StorageAway
from tests.gemmule.objects.conftest import Machine, kept
from tests.seaweed import Seaweed

CONTENT = bytes(range(256)) * 2000


def client(seaweed: Seaweed) -> Any:
    at = seaweed.address
    return boto3.session.Session().client(
        "s3",
        endpoint_url=at.endpoint,
        region_name=at.region,
        aws_access_key_id=at.access_key_id,
        aws_secret_access_key=at.secret_access_key,
    )


def test_what_one_machine_keeps_another_reads_range_by_range(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    kept(here, "7/store-1", CONTENT)
    assert not here.path("7/store-1").parent.exists()
    with there.reader("7/store-1") as read:
        assert read(0, 100) == CONTENT[:100]
        assert read(300_000, 262_144) == CONTENT[300_000:]
        assert read(len(CONTENT), 10) == b""
    with there.at_hand("7/store-1") as path:
        assert path.read_bytes() == CONTENT
        assert path.is_relative_to(there.path("cache"))


def test_requests_without_a_signature_are_refused(
    machine: Machine, seaweed: Seaweed
) -> None:
    bucket = machine("here")
    kept(bucket, "7/store-1", CONTENT)
    address = seaweed.address
    key = f"{bucket._prefix}7/store-1"
    for path in (f"{address.bucket}/{key}", address.bucket, f"{address.bucket}/?list"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address.endpoint}/{path}", timeout=10)
        assert refused.value.code == 403
        refused.value.close()
    stranger = Bucket(
        dataclasses.replace(address, secret_access_key="f" * 40),
        bucket._prefix,
        Folder(bucket.path("")),
        Cache(bucket.path("cache"), 1),
    )
    with stranger.reader("7/store-1") as read, pytest.raises(StorageAway):
        read(0, 10)


def test_names_and_ages_are_those_of_bucket_and_work_together(
    machine: Machine,
) -> None:
    here = machine("here")
    assert (list(here.names()), here.changed_at("7")) == ([], None)
    for key in ("7/store-1", "7/store-1.csi", "8/source"):
        kept(here, key, b"x")
    (here.path("7")).mkdir()
    here.path("7/store-2").write_bytes(b"unfinished")
    assert list(here.names()) == ["7", "8"]
    assert list(here.names("7")) == ["store-1", "store-1.csi", "store-2"]
    changed_at = machine("there").changed_at("8")
    assert changed_at is not None
    assert abs(changed_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_deleting_takes_what_is_below_a_key_and_nothing_beside_it(
    machine: Machine,
) -> None:
    here, there = machine("here"), machine("there")
    for key in ("7/store-1", "7/store-1.csi", "7/store-10", "70/store-1"):
        kept(here, key, b"x")
    with there.at_hand("7/store-1", "7/store-1.csi"):
        pass
    there.delete("7/store-1")
    assert list(here.names("7")) == ["store-1.csi", "store-10"]
    assert not list(there.path("cache").rglob("store-1*"))
    there.delete("7/store-1")
    here.delete("7")
    assert list(here.names()) == ["70"]
    with there.reader("7/store-10") as read, pytest.raises(FileNotFoundError):
        read(0, 1)
    with pytest.raises(FileNotFoundError), there.at_hand("7/store-10"):
        raise AssertionError("there is nothing to be read")


_UPLOADER = """
import os, signal, sys
from pathlib import Path
from gemmule.objects import bucket
from gemmule.objects.address import Address
from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder

address, prefix, root = eval(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
bucket._TRANSFER.multipart_threshold = bucket._TRANSFER.multipart_chunksize = 5 << 20
kept = bucket.Bucket(address, prefix, Folder(root), Cache(root / "cache", 1))
client = kept._client()

def die(**_):
    os.kill(os.getpid(), signal.SIGKILL)

client.meta.events.register("before-call.s3.CompleteMultipartUpload", die)
kept.keep("7/store-1")
"""


def test_an_upload_that_was_killed_left_no_object_and_is_swept(
    machine: Machine, seaweed: Seaweed
) -> None:
    here, there = machine("here"), machine("there")
    here.path("7").mkdir(parents=True)
    here.path("7/store-1").write_bytes(bytes(6 << 20))
    values = dataclasses.asdict(seaweed.address)
    arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
    done = subprocess.run(
        [
            *(sys.executable, "-c", _UPLOADER, f"Address({arguments})"),
            *(here._prefix, here.path("")),
        ],
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == -9
    with there.reader("7/store-1") as read, pytest.raises(FileNotFoundError):
        read(0, 1)
    # Its parts hold what was to be kept: a sweep that asks for names finds them.
    assert list(there.names("7")) == ["store-1"]
    there.delete("7")
    assert list(there.names()) == []
    here.delete("7")
    assert list(here.names()) == []


def test_what_another_worker_deletes_meanwhile_is_no_error(
    seaweed: Seaweed, tmp_path: Path
) -> None:
    bucket = alone(seaweed, tmp_path)
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    upload = {"Key": "x/7/store-1", "UploadId": "u", "Initiated": moment}
    file = {"Key": "x/7/store-1", "LastModified": moment}
    with Stubber(bucket._client()) as answers:
        answers.add_response("list_multipart_uploads", {"Uploads": [upload]})
        answers.add_client_error("abort_multipart_upload", "NoSuchUpload")
        answers.add_response("get_bucket_versioning", {})
        answers.add_response("list_objects_v2", {"Contents": [file, file]})
        answers.add_client_error("delete_object", "NoSuchKey")
        answers.add_response("delete_object", {})
        bucket.delete("7")
        answers.assert_no_pending_responses()


def test_why_an_upload_is_refused_stands_in_the_log(
    seaweed: Seaweed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bucket = alone(seaweed, tmp_path)
    with Stubber(bucket._client()) as answers:
        answers.add_response("get_bucket_versioning", {})
        answers.add_client_error("put_object", "QuotaExceeded")
        with pytest.raises(StorageAway):
            kept(bucket, "7/store-1", b"x")
    assert "QuotaExceeded" in caplog.text
    assert bucket.path("7/store-1").is_file()


def alone(seaweed: Seaweed, root: Path) -> Bucket:
    """Return a bucket whose client no other test has."""
    address = dataclasses.replace(seaweed.address, bucket=f"{uuid4()}")
    return Bucket(address, "x/", Folder(root), Cache(root / "cache", 1))


def test_an_object_that_was_changed_is_not_used(
    machine: Machine, seaweed: Seaweed
) -> None:
    here = machine("here")
    kept(here, "7/store-1", CONTENT)
    s3, name = client(seaweed), f"{here._prefix}7/store-1"
    told = s3.head_object(Bucket=seaweed.address.bucket, Key=name)["Metadata"]
    s3.put_object(
        Bucket=seaweed.address.bucket, Key=name, Body=CONTENT[:-1], Metadata=told
    )
    with (
        pytest.raises(StorageAway, match="not what was kept"),
        here.at_hand("7/store-1"),
    ):
        raise AssertionError("it must not be read")
    assert not [path for path in here.path("cache").rglob("*") if path.is_file()]


def test_a_storage_that_stands_still_is_given_up_soon(
    machine: Machine, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "_QUICK", bucket_module._QUICK.merge(_HASTY))
    bucket_module._client.cache_clear()
    here = machine("here")
    kept(here, "7/store-1", CONTENT)
    with here.reader("7/store-1") as read:
        assert read(0, 1) == CONTENT[:1]
        with seaweed.standing_still(), pytest.raises(StorageAway, match="nothing is"):
            read(0, 1)
        assert read(0, 1) == CONTENT[:1]
    bucket_module._client.cache_clear()


_HASTY = Config(read_timeout=0.2)


def test_nobody_listening_is_the_same(seaweed: Seaweed, tmp_path: Path) -> None:
    away = Bucket(
        dataclasses.replace(seaweed.address, endpoint="http://127.0.0.1:9"),
        "x/",
        Folder(tmp_path),
        Cache(tmp_path / "cache", 1),
    )
    with away.reader("7/store-1") as read, pytest.raises(StorageAway):
        read(0, 1)
