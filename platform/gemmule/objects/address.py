"""Which bucket holds what, by which credentials: read from the environment, strictly.

Half a configuration stops the start: files would go where nobody looks for them.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from gemmule.environment import env_secret, env_str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Which bucket, where, and by which credentials; `endpoint` empty: Amazon's."""

    bucket: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


def s3_address(*, is_production: bool) -> Address | None:
    """Return the bucket that the environment names, None when it names none."""
    bucket = env_str("GEMMULE_S3_BUCKET", "")
    endpoint = env_str("GEMMULE_S3_ENDPOINT", "")
    region = env_str("GEMMULE_S3_REGION", "")
    key_id = env_str("GEMMULE_S3_ACCESS_KEY_ID", "")
    secret = env_secret("GEMMULE_S3_SECRET_ACCESS_KEY", is_optional=True)
    if not bucket:
        if endpoint or region or key_id or secret:
            raise ImproperlyConfigured(
                "a variable that begins with GEMMULE_S3_ is set without "
                "GEMMULE_S3_BUCKET"
            )
        return None
    _check_endpoint(endpoint, is_production=is_production)
    if not key_id and not secret:
        key_id = env_str("AWS_ACCESS_KEY_ID", "")
        secret = env_str("AWS_SECRET_ACCESS_KEY", "")
    if not key_id or not secret:
        raise ImproperlyConfigured(
            "GEMMULE_S3_BUCKET is set: set GEMMULE_S3_ACCESS_KEY_ID and "
            "GEMMULE_S3_SECRET_ACCESS_KEY (or its _FILE) as well, or both "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return Address(
        bucket=bucket,
        endpoint=endpoint,
        region=region or "us-east-1",
        access_key_id=key_id,
        secret_access_key=secret,
    )


def _check_endpoint(endpoint: str, *, is_production: bool) -> None:
    # Stores go over it as they are: genotypes of everybody.
    schemes = ("https",) if is_production else ("https", "http")
    address = urlsplit(endpoint)
    if endpoint and (address.scheme not in schemes or not address.hostname):
        raise ImproperlyConfigured(
            f"GEMMULE_S3_ENDPOINT must be an address that begins with "
            f"{' or '.join(f'{one}://' for one in schemes)}"
        )
