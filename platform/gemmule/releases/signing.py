"""Sign manifests with the service's own Ed25519 key."""

import base64
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from gemmule.releases import signatures
from gemmule.releases.errors import ReleasesError
from ledger import durable


def sign(body: dict[str, Any]) -> dict[str, str]:
    """Return the signature object of a manifest body."""
    key = _private_key(settings.MANIFEST_KEY_FILE)
    public = key.public_key().public_bytes_raw()
    return {
        "algorithm": signatures.ALGORITHM,
        "key": base64.b64encode(public).decode(),
        "key_id": signatures.key_id(public),
        "value": base64.b64encode(key.sign(signatures.message(body))).decode(),
    }


def verify(body: dict[str, Any], signature: dict[str, str]) -> None:
    """Raise unless `signature` is ours over `body`."""
    ours = _private_key(settings.MANIFEST_KEY_FILE).public_key().public_bytes_raw()
    if base64.b64decode(signature["key"], validate=True) != ours:
        raise ReleasesError("the manifest is signed with a key that is not ours")
    try:
        signatures.check(body, signature)
    except ValueError as error:
        raise ReleasesError("the manifest's signature does not fit it") from error


@cache
def _private_key(path: Path) -> Ed25519PrivateKey:
    """Load the key; the embedded default makes it at first use."""
    if not path.exists() and settings.LEDGER_CREATE_KEYS:
        durable.write_once(path, secrets.token_bytes(32))
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
