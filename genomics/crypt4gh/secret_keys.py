"""Read secret key files of every kind whose public key is taken.

Crypt4GH's own are `genomics.crypt4gh.keys`; this module adds OpenSSH's (ed25519) and
PEM (PKCS #8, X25519 and Ed25519), and is apart because it loads much that a child
process of the engine never needs.
"""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)

from genomics.crypt4gh import key_text, keys
from genomics.errors import KeyInvalid, SecretKeyPasted

_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"
_PEM = ("-----BEGIN PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----")


def parse(text: str, passphrase: str | None = None) -> bytes:
    """Return the X25519 secret key (32 bytes) in the text of a secret key file.

    Raises KeyInvalid, also when a passphrase is missing or wrong.
    """
    text = text.removeprefix("\ufeff").strip()
    if text.startswith((_OPENSSH, *_PEM)):
        return _x25519_of(_loaded(text, passphrase))
    if text.startswith("-----BEGIN CRYPT4GH"):
        return keys.parse_secret_key(text, passphrase)
    try:
        key_text.refuse_secret_key(text)
    except SecretKeyPasted:
        raise KeyInvalid(
            "expected a secret key of Crypt4GH, OpenSSH (ed25519) or PEM (PRIVATE KEY; "
            "X25519 or Ed25519), got a secret key of another kind"
        ) from None
    raise KeyInvalid(
        "expected a secret key of Crypt4GH, OpenSSH (ed25519) or PEM (PRIVATE KEY; "
        "X25519 or Ed25519), got a text that is none; the public key opens nothing"
    )


def _loaded(text: str, passphrase: str | None) -> object:
    load = load_ssh_private_key if text.startswith(_OPENSSH) else load_pem_private_key
    try:
        data = text.encode()
        try:
            return load(data, password=None)
        except TypeError as error:  # a passphrase is on it
            if passphrase is None:
                raise KeyInvalid(
                    "expected a passphrase for this secret key, got none"
                ) from error
        try:
            return load(data, password=passphrase.encode())
        except ValueError as error:
            raise KeyInvalid("expected the passphrase of this secret key") from error
    except UnsupportedAlgorithm as error:
        raise KeyInvalid(
            "expected a secret key that can be opened here, got one that cannot; the "
            "passphrase of an OpenSSH key needs the Python package bcrypt"
        ) from error
    except ValueError as error:
        raise KeyInvalid(
            "expected a secret key file as the tool wrote it, got one that was changed "
            "or cut off"
        ) from error


def _x25519_of(secret: object) -> bytes:
    if isinstance(secret, X25519PrivateKey):
        return secret.private_bytes_raw()
    if isinstance(secret, Ed25519PrivateKey):
        # The scalar of Ed25519, RFC 8032 section 5.1.5; X25519 clamps it itself.
        return hashlib.sha512(secret.private_bytes_raw()).digest()[:32]
    raise KeyInvalid(
        "expected a secret key of type X25519 or Ed25519, got one of another type"
    )
