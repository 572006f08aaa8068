"""Keep files in a bucket of S3-compatible storage, which many machines share.

A file is written below a folder of this machine and gone from there once it is in the
bucket. Every request is signed; nothing here makes an address that others could read,
or an object that is public.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import S3DownloadFailedError

from gemmule.objects.address import Address
from gemmule.objects.cache import Cache
from gemmule.objects.folder import Folder
from gemmule.objects.kept import Read, StorageAway

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

_MISSING = {"404", "NoSuchKey", "NotFound"}
_GONE = _MISSING | {"NoSuchUpload", "NoSuchVersion"}
_UNKNOWN = {"NotImplemented", "MethodNotAllowed", "501"}
_PAST_THE_END = {"416", "InvalidRange"}
# Of one range, which is read under a lock that a withdrawal waits for: one try, of at
# most three seconds of silence. Who reads may try again once the lock is free.
_QUICK = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"total_max_attempts": 1},
    max_pool_connections=64,
)
_PATIENT = Config(
    connect_timeout=3,
    read_timeout=30,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=16,
)
# Not every implementation knows the checksums that boto3 adds by default.
_COMMON = Config(
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    tcp_keepalive=True,
)
_TRANSFER = TransferConfig(
    multipart_threshold=64 * 2**20, multipart_chunksize=64 * 2**20, max_concurrency=4
)
_SHA256 = "sha256"
VERSIONED = (
    "the bucket keeps old versions of what is deleted, so that nothing in it can be "
    "erased: suspend its versioning and remove any object lock; nothing is kept in it "
    "until then"
)


class Bucket:
    """Files whose keys begin with `prefix`, written and cached below folders here."""

    def __init__(
        self, address: Address, prefix: str, folder: Folder, cache: Cache
    ) -> None:
        """Keep what says where; nothing is asked of the bucket yet."""
        self._address = address
        self._prefix = prefix
        self._folder = folder
        self._cache = cache

    def path(self, key: str) -> Path:
        """Return where this machine writes the file."""
        return self._folder.path(key)

    def check(self) -> None:
        """Raise StorageAway where what is deleted would live on as an old version."""
        if self.versioning() == "Enabled":
            logger.error("%s", VERSIONED)
            raise StorageAway(VERSIONED)

    def keep(self, key: str) -> None:
        """Put the file into the bucket with its digest, then delete it here.

        An upload that breaks off leaves no object; its parts are found by `names`.
        Nothing is put where it would outlive its deletion.
        """
        self.check()
        path = self.path(key)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with self._answering():
            self._client().upload_file(
                str(path),
                self._address.bucket,
                self._prefix + key,
                ExtraArgs={"Metadata": {_SHA256: digest}},
                Config=_TRANSFER,
            )
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    @contextmanager
    def reader(self, key: str) -> Iterator[Read]:
        """Read range by range, each by a signed request of its own, tried once."""
        client = _client(os.getpid(), self._address, is_quick=True)

        def read(position: int, size: int) -> bytes:
            wanted = f"bytes={position}-{position + size - 1}"
            try:
                with self._answering():
                    answer = client.get_object(
                        Bucket=self._address.bucket,
                        Key=self._prefix + key,
                        Range=wanted,
                    )
                    if answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
                        raise StorageAway("the storage does not serve byte ranges")
                    return answer["Body"].read()
            except _PastTheEnd:
                return b""

        yield read

    @contextmanager
    def at_hand(self, key: str, *beside: str) -> Iterator[Path]:
        """Yield a copy in the cache, fetched unless it is there."""

        def fill(entry: Path) -> None:
            for one in (*beside, key):
                self._fetch(one, entry / Path(one).name)

        name = Path(key).name
        with self._cache.held(key, whole=name, fill=fill) as entry:
            yield entry / name

    def delete(self, key: str) -> None:
        """Delete here, in the cache, and in the bucket; unfinished uploads too.

        Where the bucket has ever kept old versions, these as well; one that is locked
        raises StorageAway.
        """
        self._folder.delete(key)
        Folder(self._cache.root).delete(key)
        with self._answering():
            for found, upload_id, _ in self._uploads(key):
                if _is_below(found, key):
                    with _or_gone():
                        self._client().abort_multipart_upload(
                            Bucket=self._address.bucket,
                            Key=self._prefix + found,
                            UploadId=upload_id,
                        )
            for found, version in self._versions(key):
                if _is_below(found, key):
                    named = {"VersionId": version} if version else {}
                    with _or_gone():
                        # Typed as if only what every call has could be spread.
                        self._client().delete_object(
                            Bucket=self._address.bucket,
                            Key=self._prefix + found,
                            **named,  # type: ignore[arg-type]
                        )

    def versioning(self) -> str:
        """Return "" for a bucket that never kept versions, Enabled or Suspended."""
        try:
            with self._answering():
                answer = self._client().get_bucket_versioning(
                    Bucket=self._address.bucket
                )
        except _Unknown:
            return ""
        return answer.get("Status", "")

    def names(self, key: str = "") -> Iterator[str]:
        """Yield the names below a key, here or in the bucket, in order."""
        below = f"{key}/" if key else ""
        found = set(self._folder.names(key))
        with self._answering():
            kept = [one for one, _ in self._objects(below)]
            kept += [one for one, *_ in self._uploads(below)]
        found.update(one.removeprefix(below).partition("/")[0] for one in kept)
        yield from sorted(found)

    def changed_at(self, key: str) -> datetime | None:
        """Return when something below the key was last put there."""
        here = self._folder.changed_at(key)
        moments = [] if here is None else [here]
        with self._answering():
            moments += [moment for _, moment in self._objects(f"{key}/")]
            moments += [moment for *_, moment in self._uploads(f"{key}/")]
        return max(moments, default=None)

    def _fetch(self, key: str, path: Path) -> None:
        """Write an object to `path`, whole and as it was kept."""
        part = path.with_name(f".{path.name}.part")
        with self._answering():
            head = self._client().head_object(
                Bucket=self._address.bucket, Key=self._prefix + key
            )
            self._client().download_file(
                self._address.bucket, self._prefix + key, str(part), Config=_TRANSFER
            )
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != head["Metadata"].get(_SHA256):
            part.unlink()
            raise StorageAway("an object is not what was kept; nothing of it is used")
        part.replace(path)

    def _versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield all that is to be deleted: key and version, "" where there are none."""
        if not self.versioning():
            for key, _ in self._objects(prefix):
                yield key, ""
            return
        # Without naming it a deletion would hide the newest version, and add a marker.
        pages = self._client().get_paginator("list_object_versions")
        for page in pages.paginate(
            Bucket=self._address.bucket, Prefix=self._prefix + prefix
        ):
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                key = one["Key"].removeprefix(self._prefix)
                yield key, one["VersionId"]

    def _objects(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        pages = self._client().get_paginator("list_objects_v2")
        for page in pages.paginate(
            Bucket=self._address.bucket, Prefix=self._prefix + prefix
        ):
            for one in page.get("Contents", []):
                yield one["Key"].removeprefix(self._prefix), one["LastModified"]

    def _uploads(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        pages = self._client().get_paginator("list_multipart_uploads")
        for page in pages.paginate(
            Bucket=self._address.bucket, Prefix=self._prefix + prefix
        ):
            for one in page.get("Uploads", []):
                key = one["Key"].removeprefix(self._prefix)
                yield key, one["UploadId"], one["Initiated"]

    def _client(self) -> "S3Client":
        return _client(os.getpid(), self._address, is_quick=False)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in our words that an object is missing, or that the bucket is away."""
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in _PAST_THE_END:
                raise _PastTheEnd from error
            if code in _MISSING:
                raise FileNotFoundError("the bucket holds no such object") from error
            if code in _UNKNOWN:
                raise _Unknown from error
            logger.warning("the bucket answers with %s", code)
            raise StorageAway(_AWAY) from error
        except (BotoCoreError, Boto3Error, S3DownloadFailedError) as error:
            # What an upload failed of stands in its context alone.
            cause = error.__context__
            reason = _code(cause) if isinstance(cause, ClientError) else "no more"
            logger.warning(
                "the bucket does not answer: %s, %s", type(error).__name__, reason
            )
            raise StorageAway(_AWAY) from error


@contextmanager
def _or_gone() -> Iterator[None]:
    """Let what somebody else has just deleted be no error."""
    try:
        yield
    except ClientError as error:
        if _code(error) not in _GONE:
            raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


class _PastTheEnd(Exception):
    """The range begins where the object ends, or later."""


class _Unknown(StorageAway):
    """The storage does not know this request at all."""


_AWAY = "the storage does not answer; nothing is lost, try again in a minute"


def _is_below(found: str, key: str) -> bool:
    """Tell whether a key is this one or lies below it.

    >>> _is_below("7/store-1", "7"), _is_below("7/store-1.csi", "7/store-1")
    (True, False)
    """
    return found == key or found.startswith(f"{key}/") or not key


@lru_cache(maxsize=8)
def _client(process: int, address: Address, *, is_quick: bool) -> "S3Client":
    """Return the client of this process: connections do not outlive a fork."""
    config = _COMMON.merge(_QUICK if is_quick else _PATIENT)
    if address.endpoint:
        # Few but Amazon have a name in the DNS for each bucket.
        config = config.merge(Config(s3={"addressing_style": "path"}))
    return boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint or None,
        region_name=address.region,
        aws_access_key_id=address.access_key_id,
        aws_secret_access_key=address.secret_access_key,
        config=config,
    )
