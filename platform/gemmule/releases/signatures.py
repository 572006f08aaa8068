"""What a manifest's signature is over, and how anybody checks it. Pure.

Whose key it is cannot be told from the signature: the ledger's entry, which names the
digest of manifest and signature together, says that.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.tlog import canonical

ALGORITHM = "ed25519"
_DOMAIN = b"gemmule/manifest/v1\0"


def message(body: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed."""
    return _DOMAIN + rfc8785.dumps(dict(body))


def key_id(public_key: bytes) -> str:
    """Return the name of a key: 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def check(body: Mapping[str, Any], signature: Mapping[str, Any]) -> bytes:
    """Return the public key that signed the body; raise ValueError unless one did."""
    if signature.get("algorithm") != ALGORITHM:
        raise ValueError(f"expected a signature by {ALGORITHM}")
    public, value = (_bytes_of(signature.get(name)) for name in ("key", "value"))
    if signature.get("key_id") != key_id(public):
        raise ValueError("the signature names another key than it holds")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, message(body))
    except InvalidSignature as error:
        raise ValueError("the signature does not fit what it is over") from error
    return public


def _bytes_of(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("key and value of a signature are base64")
    return canonical.decode_base64(text)
