"""What `manage.py check --deploy` asks of the bucket, when there is one."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from gemmule.objects import places
from gemmule.objects.kept import StorageAway


def check_versions(**_: Any) -> list[CheckMessage]:
    """Return an error where what is deleted would live on as an old version."""
    if settings.S3 is None:
        return []
    # boto3 is loaded by sites with a bucket alone.
    from gemmule.objects.bucket import VERSIONED  # noqa: PLC0415

    try:
        versioning = places.bucket("releases", settings.RELEASE_DIR).versioning()
    except StorageAway as error:
        return [
            Error(
                f"the bucket does not say whether it keeps old versions: {error}",
                hint="let the key GetBucketVersioning; see docs/operations.md",
                id="gemmule.E101",
            )
        ]
    if versioning == "Enabled":
        return [Error(VERSIONED, id="gemmule.E102")]
    if versioning:
        return [
            Warning(
                "the bucket has kept old versions, and may still hold some",
                hint="let the key ListBucketVersions and DeleteObjectVersion, so that "
                "an erasure deletes them as well; see docs/operations.md",
                id="gemmule.W103",
            )
        ]
    return []
