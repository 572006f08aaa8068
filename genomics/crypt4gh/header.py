"""The Crypt4GH header: the data key, sealed to a recipient (specification, section 2).

    "crypt4gh" | version u32 = 1 | packets u32 | packet ...
    packet: length u32, counting itself | method u32 = 0 | writer's public key 32 |
            nonce 12 | ciphertext | tag 16          (all integers little-endian)
    plaintext: type u32 = 0 | data encryption u32 = 0 | data key 32

A header written here has one packet of 108 bytes. Edit lists are refused: they would
make a file mean something else than the bytes that were signed for.
"""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genomics.crypt4gh import x25519
from genomics.crypt4gh.reading import Readable, read_full
from genomics.errors import CryptInvalid

MAGIC = b"crypt4gh"
VERSION = 1
DATA_KEY_BYTES = 32
_NONCE_BYTES = 12
_PACKETS = 1_000  # more is an attack, not a header
_PACKET_BYTES = 1 << 20
_METHOD_X25519_CHACHA20 = 0
_TYPE_DATA_KEY = 0
_TYPE_EDIT_LIST = 1
_DATA_CHACHA20 = 0


def write_header(data_key: bytes, recipient_public_key: bytes) -> bytes:
    """Return a header that gives `data_key` to one recipient.

    The writer's key is made here, used once and forgotten.
    """
    x25519.check_public_key(recipient_public_key)
    writer = X25519PrivateKey.generate()
    writer_public = writer.public_key().public_bytes_raw()
    recipient = X25519PublicKey.from_public_bytes(recipient_public_key)
    shared = _session_key(
        writer.exchange(recipient), recipient_public_key, writer_public
    )
    nonce = os.urandom(_NONCE_BYTES)
    content = _u32(_TYPE_DATA_KEY) + _u32(_DATA_CHACHA20) + data_key
    sealed = ChaCha20Poly1305(shared).encrypt(nonce, content, None)
    packet = _u32(_METHOD_X25519_CHACHA20) + writer_public + nonce + sealed
    return MAGIC + _u32(VERSION) + _u32(1) + _u32(len(packet) + 4) + packet


def read_header(source: Readable, secret_key: bytes) -> list[bytes]:
    """Read a header off the stream and return the data keys it gives to this key.

    Packets for other recipients are passed over. Raises CryptInvalid when nothing is
    left, when the header is malformed, or when it holds an edit list for this key.
    """
    if read_full(source, len(MAGIC)) != MAGIC:
        raise CryptInvalid("expected a Crypt4GH file, the first bytes differ")
    if (version := _read_u32(source)) != VERSION:
        raise CryptInvalid(f"expected Crypt4GH version {VERSION}, got {version}")
    if (count := _read_u32(source)) > _PACKETS:
        raise CryptInvalid(f"expected at most {_PACKETS} header packets, got {count}")
    secret = X25519PrivateKey.from_private_bytes(secret_key)
    public = secret.public_key().public_bytes_raw()
    data_keys = []
    for _ in range(count):
        content = _open(_read_packet(source), secret, public)
        if content is not None:
            data_keys.append(_data_key(content))
    if not data_keys:
        raise CryptInvalid("expected a file for this secret key, it opens no packet")
    return data_keys


def _read_packet(source: Readable) -> bytes:
    length = _read_u32(source)
    if not 4 < length <= _PACKET_BYTES:
        raise CryptInvalid(f"expected a packet of at most {_PACKET_BYTES} bytes")
    packet = read_full(source, length - 4)
    if len(packet) != length - 4:
        raise CryptInvalid("expected a whole header, the file ends inside it")
    return packet


def _open(packet: bytes, secret: X25519PrivateKey, public: bytes) -> bytes | None:
    method, writer_public = packet[:4], packet[4:36]
    nonce, sealed = packet[36:48], packet[48:]
    if method != _u32(_METHOD_X25519_CHACHA20) or len(sealed) < 16:
        return None
    try:
        exchanged = secret.exchange(X25519PublicKey.from_public_bytes(writer_public))
        shared = _session_key(exchanged, public, writer_public)
        return ChaCha20Poly1305(shared).decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        return None  # for another recipient, or broken: the same to this one


def _data_key(content: bytes) -> bytes:
    kind, method, data_key = content[:4], content[4:8], content[8:]
    if kind == _u32(_TYPE_EDIT_LIST):
        raise CryptInvalid("expected a file without an edit list, got one with")
    if kind != _u32(_TYPE_DATA_KEY) or method != _u32(_DATA_CHACHA20):
        raise CryptInvalid("expected a data key for ChaCha20-Poly1305 in the header")
    if len(data_key) != DATA_KEY_BYTES:
        raise CryptInvalid(f"expected a data key of {DATA_KEY_BYTES} bytes")
    return data_key


def _session_key(exchanged: bytes, reader: bytes, writer: bytes) -> bytes:
    # BLAKE2b-512(X25519(s, P) || reader's key || writer's key): the first half is the
    # reader's receiving key (libsodium's crypto_kx with the reader as its client).
    return hashlib.blake2b(exchanged + reader + writer, digest_size=64).digest()[:32]


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _read_u32(source: Readable) -> int:
    data = read_full(source, 4)
    if len(data) != 4:
        raise CryptInvalid("expected a whole header, the file ends inside it")
    return int.from_bytes(data, "little")
