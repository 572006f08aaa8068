"""Commit to bodies so that destroying one key makes the commitments noise.

Pure: where keys and bodies are kept is left to `vault` and `services`.

    k_e    = HKDF-SHA256(K_s, info = "gemmule/ledger/commit/v1" || event uuid)
    commit = HMAC-SHA256(k_e, RFC 8785(body))

with K_s the random 32 bytes of the subject. The body itself is encrypted with
AES-256-GCM under a second key of the same derivation. Who holds (k_e, body) can check
one commitment and learns nothing about any other; who holds neither cannot try names
or ids against it. Sources: RFC 5869, RFC 2104, NIST SP 800-38D.
"""

import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger import errors

KEY_BYTES = 32
NONCE_BYTES = 12

_COMMIT = b"gemmule/ledger/commit/v1"
_BODY = b"gemmule/ledger/body/v1"
_SAMPLE = b"gemmule/ledger/sample/v1"


def commitment_key(subject_key: bytes, event: UUID) -> bytes:
    """Return k_e, which opens the commitment of one event and no other."""
    return _derive(subject_key, _COMMIT + event.bytes)


def sample_key(subject_key: bytes, context: bytes) -> bytes:
    """Return the salt of a subject's commitment inside another document.

    `context` names the document: two of them share no salt, so commitments to the
    same person do not look alike.
    """
    return _derive(subject_key, _SAMPLE + context)


def commit(key: bytes, body: bytes) -> bytes:
    """Return the commitment (32 bytes) to canonical bytes of a body."""
    # HMAC pads a shorter key with zeros: then two keys would open one commitment.
    assert len(key) == KEY_BYTES, "a commitment key has 32 bytes"
    return hmac.digest(key, body, "sha256")


def check_opening(commitment: bytes, key: bytes, body: bytes) -> None:
    """Raise OpeningInvalid unless (key, body) is what was committed to."""
    if len(key) != KEY_BYTES:
        raise errors.OpeningInvalid(f"a commitment key has 32 bytes, not {len(key)}")
    if not hmac.compare_digest(commit(key, body), commitment):
        raise errors.OpeningInvalid("the body is not the one the entry commits to")


def seal_body(subject_key: bytes, event: UUID, body: bytes) -> bytes:
    """Return nonce (12 bytes) and ciphertext of a body, bound to its event."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(_derive(subject_key, _BODY + event.bytes))
    return nonce + cipher.encrypt(nonce, body, _BODY + event.bytes)


def open_body(subject_key: bytes, event: UUID, sealed: bytes) -> bytes:
    """Return the body, or raise VaultSealBroken."""
    cipher = AESGCM(_derive(subject_key, _BODY + event.bytes))
    try:
        return cipher.decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _BODY + event.bytes
        )
    except (InvalidTag, ValueError) as error:
        raise errors.VaultSealBroken(
            f"the body of event {event} does not open with its key"
        ) from error


def _derive(subject_key: bytes, info: bytes) -> bytes:
    assert len(subject_key) == KEY_BYTES, "a subject key has 32 bytes"
    # The input is uniformly random, so HKDF needs no salt (RFC 5869 section 3.1).
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(subject_key)
