"""Sign manifests with the service's own Ed25519 key."""

import base64
import hashlib
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

from gemmule.releases.errors import ReleasesError

_DOMAIN = b"gemmule/manifest/v1\0"


def sign(body: dict[str, Any]) -> dict[str, str]:
    """Return the signature object of a manifest body."""
    key = _private_key(settings.MANIFEST_KEY_FILE)
    public = key.public_key().public_bytes_raw()
    return {
        "algorithm": "ed25519",
        "key": base64.b64encode(public).decode(),
        "key_id": hashlib.sha256(public).hexdigest()[:16],
        "value": base64.b64encode(key.sign(_DOMAIN + rfc8785.dumps(body))).decode(),
    }


def verify(body: dict[str, Any], signature: dict[str, str]) -> None:
    """Raise unless `signature` is ours over `body`."""
    ours = _private_key(settings.MANIFEST_KEY_FILE).public_key().public_bytes_raw()
    if base64.b64decode(signature["key"], validate=True) != ours:
        raise ReleasesError("the manifest is signed with a key that is not ours")
    try:
        Ed25519PublicKey.from_public_bytes(ours).verify(
            base64.b64decode(signature["value"], validate=True),
            _DOMAIN + rfc8785.dumps(body),
        )
    except InvalidSignature as error:
        raise ReleasesError("the manifest's signature does not fit it") from error


@cache
def _private_key(path: Path) -> Ed25519PrivateKey:
    """Load the key; the embedded default makes it at first use, whole or not at all."""
    if not path.exists() and settings.LEDGER_CREATE_KEYS:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            path.hardlink_to(private)
        except FileExistsError:
            pass  # Another process was first; its key is the one kept.
        finally:
            private.unlink()
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
