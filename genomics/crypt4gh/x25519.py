"""Check the bytes of X25519 keys (RFC 7748).

Apart from `genomics.crypt4gh.keys`: a process that cuts a release encrypts to bytes,
and is spared the parsing of texts.
"""

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from genomics.errors import KeyInvalid

KEY_BYTES = 32
# RFC 7748 section 4.1.
FIELD_PRIME = 2**255 - 19


def check_public_key(public_key: bytes) -> None:
    """Raise KeyInvalid for a key that nobody can use alone.

    On points of low order every exchange gives the same secret, so that anyone could
    open the file (RFC 7748, section 6.1). A number above the field's prime stands for
    a smaller one; Crypt4GH hashes the bytes, so the owner of the smaller one could
    never open the file.
    """
    if int.from_bytes(sized(public_key), "little") >= FIELD_PRIME:
        raise KeyInvalid(
            "expected an X25519 public key as a tool writes it, got 32 bytes that no "
            "tool writes: the key was changed on its way, copy it again"
        )
    point = X25519PublicKey.from_public_bytes(public_key)
    try:
        X25519PrivateKey.generate().exchange(point)
    except ValueError as error:
        raise KeyInvalid(
            "expected a public key of full order, got a weak key: anyone could open "
            "files made for it"
        ) from error


def sized(key: bytes) -> bytes:
    """Return the key if it has 32 bytes; raise KeyInvalid."""
    if len(key) != KEY_BYTES:
        raise KeyInvalid(f"expected {KEY_BYTES} bytes of key, got {len(key)}")
    return key
