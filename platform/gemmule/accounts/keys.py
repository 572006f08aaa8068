"""Take researchers' public keys, and challenge their owners to prove them.

Storing keys and counting tries is `services`. How the text of a key is read is
`genomics.crypt4gh.keys`, the one parser of form, API and engine; the challenge is a
Crypt4GH file (GA4GH file encryption standard, version 1).

>>> text = public_key_text(bytes([9]) + bytes(31))
>>> print(text, end="")
-----BEGIN CRYPT4GH PUBLIC KEY-----
CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END CRYPT4GH PUBLIC KEY-----
>>> parse_public_key(text).hex()[:4]
'0900'
"""

import hashlib
import hmac
import io
import logging
import secrets
from dataclasses import dataclass

from crypt4gh import lib as crypt4gh_lib

from gemmule.accounts.errors import KeyRefused, ProofRefused, SecretKeyRefused
from genomics.crypt4gh import key_text
from genomics.crypt4gh import keys as crypt4gh_keys
from genomics.errors import KeyInvalid, SecretKeyPasted

# What a person may send as the answer to a challenge, which has 64.
MAX_TEXT_CHARACTERS = 4096

# The library writes session and ephemeral keys to its log at level DEBUG.
logging.getLogger("crypt4gh").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the owner of a key must decrypt, and how we know the answer."""

    file: bytes
    answer_sha256: str


def parse_public_key(text: str) -> bytes:
    """Return the X25519 key (32 bytes) of the one public key in the text.

    Raises SecretKeyRefused when anything in it looks like a secret key, and
    KeyRefused for everything that is not exactly one public key that others can
    encrypt to. No message quotes the text.
    """
    try:
        return crypt4gh_keys.parse_public_key(text)
    except SecretKeyPasted as refusal:
        raise SecretKeyRefused(str(refusal)) from None
    except KeyInvalid as refusal:
        raise KeyRefused(str(refusal)) from None


def refuse_secret_key(text: str) -> None:
    """Raise SecretKeyRefused if the text holds anything like a secret key."""
    try:
        key_text.refuse_secret_key(text)
    except SecretKeyPasted as refusal:
        raise SecretKeyRefused(str(refusal)) from None


def holds_secret(text: str) -> bool:
    """Return whether anything in the text looks like a secret key, of any tool."""
    try:
        refuse_secret_key(text)
    except SecretKeyRefused:
        return True
    return False


def public_key_text(key: bytes) -> str:
    """Return the key file of `key`, as `crypt4gh-keygen` writes it."""
    return crypt4gh_keys.encode_public_key(key)


def fingerprint(key: bytes) -> str:
    """Return the SHA-256 of the 32 bytes of a public key, in hex."""
    return crypt4gh_keys.fingerprint(key)


def new_challenge(key: bytes) -> Challenge:
    """Return 32 fresh random bytes in hex and a newline, encrypted to `key`.

    >>> challenge = new_challenge(bytes([9]) + bytes(31))
    >>> challenge.file[:8], len(challenge.file)
    (b'crypt4gh', 217)
    """
    answer = secrets.token_hex(32)
    encrypted = io.BytesIO()
    # Method 0 is X25519 with ChaCha20-Poly1305; the writer's key is thrown away.
    crypt4gh_lib.encrypt(
        [(0, secrets.token_bytes(len(key)), key)],
        io.BytesIO(f"{answer}\n".encode()),
        encrypted,
    )
    return Challenge(file=encrypted.getvalue(), answer_sha256=_answer_sha256(answer))


def verify_answer(answer: str, answer_sha256: str) -> None:
    """Raise ProofRefused unless `answer` is what the challenge held.

    White space around it and the case of its letters do not matter: it was copied
    from a terminal.
    """
    refuse_secret_key(answer)
    if not hmac.compare_digest(_answer_sha256(answer), answer_sha256):
        raise ProofRefused(
            "this is not the text inside the challenge file: it has 64 letters and "
            "digits, decrypt the newest file with the secret key of this public key"
        )


def _answer_sha256(answer: str) -> str:
    return hashlib.sha256(answer.strip().lower().encode()).hexdigest()
