"""Crypt4GH key files: read, write, make, name.

A key is 32 bytes of X25519. Key files are PEM-like; the body of a secret key follows
the Crypt4GH specification, appendix "key format". Public keys of SSH and PEM are read
as well and become X25519 keys; how their texts are read is left to
`genomics.crypt4gh.key_text`, their secret keys to `genomics.crypt4gh.secret_keys`, and
what a key opens to `genomics.crypt4gh.header`.

    -----BEGIN CRYPT4GH PUBLIC KEY-----
    0AqybqRdvjGyUBt11PYdPsjTlsFJDWOGm8BlmoBBKCg=
    -----END CRYPT4GH PUBLIC KEY-----
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genomics.crypt4gh import edwards, key_text, x25519
from genomics.crypt4gh.key_kinds import Form
from genomics.errors import KeyInvalid

_MAGIC = b"c4gh-v1"
_PUBLIC = "CRYPT4GH PUBLIC KEY"
_SECRET = "CRYPT4GH PRIVATE KEY"  # noqa: S105 - a label
_KEY_FILE_CHARS = 10_000


def generate() -> tuple[bytes, bytes]:
    """Return a new pair (secret key, public key)."""
    secret = X25519PrivateKey.generate()
    return secret.private_bytes_raw(), secret.public_key().public_bytes_raw()


def public_of(secret_key: bytes) -> bytes:
    """Return the public key that belongs to a secret key."""
    secret = X25519PrivateKey.from_private_bytes(x25519.sized(secret_key))
    return secret.public_key().public_bytes_raw()


def fingerprint(public_key: bytes) -> str:
    """Return the SHA-256 of the raw public key, as hex."""
    return hashlib.sha256(x25519.sized(public_key)).hexdigest()


def encode_public_key(public_key: bytes) -> str:
    """Return the text of a public key file."""
    return _pem(_PUBLIC, x25519.sized(public_key))


def encode_secret_key(secret_key: bytes) -> str:
    """Return the text of a secret key file without a passphrase.

    The same as `crypt4gh-keygen --nocrypt` writes.
    """
    body = (
        _MAGIC + _string(b"none") + _string(b"none") + _string(x25519.sized(secret_key))
    )
    return _pem(_SECRET, body)


def parse_public_key(text: str) -> bytes:
    """Return the X25519 key (32 bytes) of the one public key in a text.

    Taken are key files of Crypt4GH, lines of ssh-ed25519 and PEM public keys of X25519
    and Ed25519; Ed25519 is converted as the `crypt4gh` tool does. Raises
    SecretKeyPasted for a secret key of any kind, so that its owner is told to make a
    new one, and KeyInvalid for whatever else is not one usable key.
    """
    kind = key_text.read(text)
    key = edwards.x25519_of(kind.raw) if kind.form is Form.ED25519 else kind.raw
    x25519.check_public_key(key)
    return key


def parse_secret_key(text: str, passphrase: str | None = None) -> bytes:
    """Return the key in the text of a secret key file.

    Raises KeyInvalid, also when a passphrase is missing or wrong. Of the three key
    derivations in the specification bcrypt is not supported: nothing makes it today.
    """
    reader = _Reader(_body(text, _SECRET))
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise KeyInvalid("expected a Crypt4GH secret key of version 1")
    kdf = reader.string()
    options = reader.string() if kdf != b"none" else b""
    cipher, data = reader.string(), reader.string()
    if cipher == b"none" and kdf == b"none":
        return x25519.sized(data)
    if cipher != b"chacha20_poly1305":
        raise KeyInvalid("expected the cipher chacha20_poly1305 on the secret key")
    if passphrase is None:
        raise KeyInvalid("expected a passphrase for this secret key, got none")
    wrapping = ChaCha20Poly1305(_derive(kdf, options, passphrase.encode()))
    try:
        return x25519.sized(wrapping.decrypt(data[:12], data[12:], None))
    except (InvalidTag, ValueError) as error:
        raise KeyInvalid("expected the passphrase of this secret key") from error


def _derive(kdf: bytes, options: bytes, passphrase: bytes) -> bytes:
    rounds, salt = int.from_bytes(options[:4], "big"), options[4:]
    if kdf == b"scrypt":
        # The parameters are fixed by the format's only implementations.
        return hashlib.scrypt(passphrase, salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    if kdf == b"pbkdf2_hmac_sha256" and 0 < rounds <= 10_000_000:
        return hashlib.pbkdf2_hmac("sha256", passphrase, salt, rounds, dklen=32)
    raise KeyInvalid("expected scrypt or PBKDF2 on the secret key")


def _body(text: str, label: str) -> bytes:
    if len(text) > _KEY_FILE_CHARS:
        raise KeyInvalid(f"expected a key file of at most {_KEY_FILE_CHARS} characters")
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    joined = " ".join(text.split())
    if not joined.startswith(begin) or not joined.endswith(end):
        raise KeyInvalid(f"expected a file that begins '{begin}'")
    encoded = joined[len(begin) : -len(end)].replace(" ", "")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyInvalid("expected base64 in the key file") from error


def _pem(label: str, body: bytes) -> str:
    encoded = base64.b64encode(body).decode()
    return f"-----BEGIN {label}-----\n{encoded}\n-----END {label}-----\n"


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if len(self._data) < size:
            raise KeyInvalid("expected a longer secret key file, it is cut off")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def string(self) -> bytes:
        return self.take(int.from_bytes(self.take(2), "big"))
