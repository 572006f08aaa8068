"""Crypt4GH data segments: 64 KiB of plaintext each (specification, section 3).

    nonce 12 | ciphertext, as long as the plaintext | tag 16

Only the last segment may be shorter. Nothing binds a segment to its place: files cut
at a segment's edge or with segments swapped decrypt well, and only a digest of the
whole tells.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genomics.errors import CryptInvalid

PLAIN_BYTES = 65_536
NONCE_BYTES = 12
TAG_BYTES = 16
SEALED_BYTES = NONCE_BYTES + PLAIN_BYTES + TAG_BYTES


def seal(cipher: ChaCha20Poly1305, plain: bytes) -> bytes:
    """Return one segment; `plain` holds 1 to 65,536 bytes."""
    assert 0 < len(plain) <= PLAIN_BYTES, "segments are cut by the stream"
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, None)


def unseal(ciphers: list[ChaCha20Poly1305], segment: bytes, number: int) -> bytes:
    """Return the plaintext of a segment under whichever data key fits.

    `number` (from 0) is for the message. Raises CryptInvalid.
    """
    if len(segment) <= NONCE_BYTES + TAG_BYTES:
        raise CryptInvalid(f"expected a whole segment {number}, it is cut off")
    for cipher in ciphers:
        try:
            return cipher.decrypt(segment[:NONCE_BYTES], segment[NONCE_BYTES:], None)
        except InvalidTag:
            continue
    raise CryptInvalid(f"expected segment {number} as it was sealed, it was changed")
