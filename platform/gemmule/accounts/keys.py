"""Read Crypt4GH public keys strictly, and challenge their owners to prove them.

Storing keys and counting tries is `services`. Key files are those of the Crypt4GH
tools: base64 of 32 bytes (X25519, RFC 7748) between two lines of dashes; the
challenge is a Crypt4GH file (GA4GH file encryption standard, version 1).

>>> text = public_key_text(bytes([9]) + bytes(31))
>>> print(text, end="")
-----BEGIN CRYPT4GH PUBLIC KEY-----
CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END CRYPT4GH PUBLIC KEY-----
>>> parse_public_key(text).hex()[:4]
'0900'
"""

import base64
import binascii
import hashlib
import hmac
import io
import logging
import re
import secrets
from dataclasses import dataclass

from crypt4gh import lib as crypt4gh_lib
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from gemmule.accounts.errors import KeyRefused, ProofRefused, SecretKeyRefused

KEY_SIZE_BYTES = 32
# A key file has 114 bytes; nobody needs more for a comment or stray white space.
MAX_TEXT_CHARACTERS = 4096

_BEGIN = "-----BEGIN CRYPT4GH PUBLIC KEY-----"
_END = "-----END CRYPT4GH PUBLIC KEY-----"
# With all white space taken out: the frames of every tool's secret keys (Crypt4GH,
# OpenSSH, PKCS #1 and #8, PGP, age), and what a Crypt4GH or OpenSSH secret key
# starts with (c4gh-v1, openssh-key-v1), plain and in base64.
_SECRET = re.compile(
    r"(?i:PRIVATEKEY|AGE-SECRET-KEY|c4gh-v1|openssh-key-v1)"
    r"|YzRnaC12M|b3BlbnNzaC1rZXktdj"
)
# 2^255 - 19, RFC 7748 section 4.1.
_FIELD_PRIME = 2**255 - 19

# The library writes session and ephemeral keys to its log at level DEBUG.
logging.getLogger("crypt4gh").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the owner of a key must decrypt, and how we know the answer."""

    file: bytes
    answer_sha256: str


def parse_public_key(text: str) -> bytes:
    """Return the 32 bytes of the public key file `text`.

    Raises SecretKeyRefused when anything in it looks like a secret key, and
    KeyRefused for everything that is not exactly one public key that others can
    encrypt to. No message quotes the text.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise KeyRefused(
            f"a public key file has fewer than {MAX_TEXT_CHARACTERS} characters, "
            f"this text has {len(text)}"
        )
    _refuse_secrets(text)
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise KeyRefused(
            f"expected the whole text of a .pub file, from the line {_BEGIN} "
            f"to the line {_END}"
        )
    try:
        key = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRefused(
            "expected base64 between the first and the last line of the key"
        ) from None
    if len(key) != KEY_SIZE_BYTES:
        raise KeyRefused(
            f"a public key has {KEY_SIZE_BYTES} bytes, this one has {len(key)}"
        )
    _refuse_unusable(key)
    return key


def public_key_text(key: bytes) -> str:
    """Return the key file of `key`, as `crypt4gh-keygen` writes it."""
    return f"{_BEGIN}\n{base64.b64encode(key).decode()}\n{_END}\n"


def fingerprint(key: bytes) -> str:
    """Return the SHA-256 of the 32 bytes of a public key, in hex."""
    return hashlib.sha256(key).hexdigest()


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
        [(0, secrets.token_bytes(KEY_SIZE_BYTES), key)],
        io.BytesIO(f"{answer}\n".encode()),
        encrypted,
    )
    return Challenge(file=encrypted.getvalue(), answer_sha256=_answer_sha256(answer))


def verify_answer(answer: str, answer_sha256: str) -> None:
    """Raise ProofRefused unless `answer` is what the challenge held.

    White space around it and the case of its letters do not matter: it was copied
    from a terminal.
    """
    _refuse_secrets(answer)
    if not hmac.compare_digest(_answer_sha256(answer), answer_sha256):
        raise ProofRefused(
            "this is not the text inside the challenge file: it has 64 letters and "
            "digits, decrypt the newest file with the secret key of this public key"
        )


def _answer_sha256(answer: str) -> str:
    return hashlib.sha256(answer.strip().lower().encode()).hexdigest()


def _refuse_secrets(text: str) -> None:
    """Raise before anything else looks at, keeps or quotes a secret key."""
    if _SECRET.search("".join(text.split())):
        raise SecretKeyRefused(
            "this is a SECRET key. It was not kept, but it has left your computer: "
            "make a new pair of keys, then paste the text of the .pub file"
        )


def _refuse_unusable(key: bytes) -> None:
    """Refuse points that no key generator makes, and low-order points.

    A number above the field's prime stands for a smaller one; Crypt4GH hashes the
    bytes, so the owner of the smaller one could never open such a file. With a
    low-order point everybody knows the shared secret (RFC 7748 section 6.1).
    """
    if int.from_bytes(key, "little") >= _FIELD_PRIME:
        raise KeyRefused("these 32 bytes are not a public key (X25519) of any tool")
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError:
        raise KeyRefused(
            "these 32 bytes are a weak key that everybody could decrypt with"
        ) from None
