"""Sign texts and check signed texts with Ed25519 keys that have a name.

What the text says is left to the caller, signatures with a time to `cosignature`.
Source: C2SP signed-note (https://c2sp.org/signed-note), signature type 0x01; the key
strings are those of Go's golang.org/x/mod/sumdb/note.

A note is a text that ends in a newline, an empty line, and signature lines:

    example.com/log
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

    — example.com/log <base64 of key id (4 bytes) and signature>
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ledger import errors
from ledger.tlog import canonical

# The type of a key, signed-note, "Signature types": what its signatures are of.
ED25519 = b"\x01"
COSIGNATURE = b"\x04"
# 16 signatures must be accepted, each of up to 5 kB where keys are post-quantum.
MAX_BYTES = 256 * 1024
MAX_SIGNATURES = 128

_KEY_ID_BYTES = 4
_KEY_BYTES = 32
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: whose it is, and the bytes."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """Return the line, its newline included."""
        return f"— {self.name} {canonical.encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text and its signatures, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """The public half of a key: a name, 32 bytes, and what it signs."""

    name: str
    public_key: bytes
    algorithm: bytes = ED25519

    @classmethod
    def from_text(cls, text: str) -> "VerifierKey":
        """Read `<name>+<key id in hex>+<base64 of type and key>`."""
        name, key_id, algorithm, material = _split_key(text, "a verifier key")
        key = cls(name=name, public_key=material, algorithm=algorithm)
        if key.key_id.hex() != key_id:
            raise errors.KeyFileInvalid(
                "the id of a verifier key is not that of its key"
            )
        return key

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which signatures name this key."""
        # SHA-256(name || 0x0A || type || key)[:4], signed-note, "Signatures"
        named = self.name.encode() + b"\n" + self.algorithm + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """Return the key as others configure it."""
        material = canonical.encode_base64(self.algorithm + self.public_key)
        return f"{self.label}+{material}"

    @property
    def label(self) -> str:
        """Return the name and the id of the key, as messages call it."""
        return f"{self.name}+{self.key_id.hex()}"

    def verify(self, signature: Signature, text: str) -> None:
        """Raise NoteInvalid unless this key signed the text."""
        check_algorithm(self, ED25519)
        self.verify_bytes(signature.value, text.encode())

    def verify_bytes(self, signature: bytes, message: bytes) -> None:
        """Raise NoteInvalid unless the 64 bytes are this key's over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(
                signature, message
            )
        except InvalidSignature:
            raise errors.NoteInvalid(
                f"the signature of {self.label} is not of this text"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerKey:
    """The private half of a key: a name, the 32 bytes of its seed, what it signs."""

    name: str
    seed: bytes = field(repr=False)
    algorithm: bytes = ED25519

    @classmethod
    def from_text(cls, text: str) -> "SignerKey":
        """Read `PRIVATE+KEY+<name>+<key id in hex>+<base64 of type and seed>`."""
        if not text.startswith("PRIVATE+KEY+"):
            raise errors.KeyFileInvalid("a signer key starts with PRIVATE+KEY+")
        name, key_id, algorithm, seed = _split_key(
            text.removeprefix("PRIVATE+KEY+"), "a signer key"
        )
        key = cls(name=name, seed=seed, algorithm=algorithm)
        if key.verifier.key_id.hex() != key_id:
            raise errors.KeyFileInvalid("the id of a signer key is not that of its key")
        return key

    @property
    def text(self) -> str:
        """Return the key as it is kept: secret."""
        material = canonical.encode_base64(self.algorithm + self.seed)
        return f"PRIVATE+KEY+{self.verifier.label}+{material}"

    @property
    def verifier(self) -> VerifierKey:
        """Return the public half."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifierKey(
            name=self.name,
            public_key=private.public_key().public_bytes_raw(),
            algorithm=self.algorithm,
        )

    def sign(self, text: str) -> bytes:
        """Return the note of this text with this key's signature alone."""
        check_text(text)
        check_algorithm(self, ED25519)
        signature = Signature(
            name=self.name,
            key_id=self.verifier.key_id,
            value=self.sign_bytes(text.encode()),
        )
        return f"{text}\n{signature.line}".encode()

    def sign_bytes(self, message: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature of the message."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def check_name(name: str) -> None:
    """Raise NoteInvalid unless `name` may name a key."""
    if _NAME.fullmatch(name) is None or not name.isprintable():
        raise errors.NoteInvalid("the name of a key has no spaces and no plus sign")


def check_algorithm(key: VerifierKey | SignerKey, algorithm: bytes) -> None:
    """Raise NoteInvalid unless the key is of this type.

    A key must never sign both kinds of message: a log's text could be made to look
    like a cosignature of another log.
    """
    if key.algorithm != algorithm:
        raise errors.NoteInvalid(
            f"the key of {key.name} is of type {key.algorithm.hex()}, "
            f"one of type {algorithm.hex()} was expected"
        )


def check_text(text: str) -> None:
    """Raise NoteInvalid unless `text` may be signed."""
    if not text.endswith("\n"):
        raise errors.NoteInvalid("the text of a note must end in a newline")
    if any(each < " " and each != "\n" for each in text):
        raise errors.NoteInvalid("a note must not hold control characters")


def parse(data: bytes) -> Note:
    """Return text and signatures; raise NoteInvalid unless the form is exact."""
    if len(data) > MAX_BYTES:
        raise errors.NoteInvalid(f"a note has at most {MAX_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.NoteInvalid(f"a note must be UTF-8: {error}") from error
    check_text(whole)
    # The last empty line parts the text from the signatures.
    text, gap, lines = whole.rpartition("\n\n")
    if not gap:
        raise errors.NoteInvalid("a note needs an empty line before its signatures")
    signatures = tuple(parse_signature(each) for each in lines[:-1].split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise errors.NoteInvalid(f"a note has at most {MAX_SIGNATURES} signatures")
    return Note(text=text + "\n", signatures=signatures)


def verify(note: Note, keys: Collection[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return which of the keys signed the note; raise NoteInvalid when none did.

    Signatures of other keys are ignored, as the specification asks; a signature of
    one of the keys that does not verify spoils the note.
    """
    signed = []
    for key, signature in signatures_of(note, keys):
        key.verify(signature, note.text)
        signed.append(key)
    if not signed:
        labels = ", ".join(key.label for key in keys)
        raise errors.NoteInvalid(
            f"the note is not signed by {labels or 'any known key'}"
        )
    return tuple(signed)


def signatures_of(
    note: Note, keys: Collection[VerifierKey]
) -> Iterator[tuple[VerifierKey, Signature]]:
    """Yield the signatures that claim to be of these keys, none of them checked yet.

    Raises NoteInvalid when one key signed twice: which of the two counts would be for
    each reader to guess.
    """
    for key in dict.fromkeys(keys):
        whose = (key.name, key.key_id)
        claimed = [
            each for each in note.signatures if (each.name, each.key_id) == whose
        ]
        if len(claimed) > 1:
            raise errors.NoteInvalid(f"{key.label} signed the note more than once")
        for signature in claimed:
            yield key, signature


def parse_signature(line: str) -> Signature:
    """Return a signature line's signature; raise NoteInvalid unless it is exact.

    The line comes without its newline.
    """
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise errors.NoteInvalid("a signature line must be: — name base64")
    try:
        data = canonical.decode_base64(match[2])
    except ValueError as error:
        raise errors.NoteInvalid(
            f"a signature must be exact base64: {error}"
        ) from error
    if len(data) <= _KEY_ID_BYTES:
        raise errors.NoteInvalid("a signature is longer than its key id of 4 bytes")
    return Signature(
        name=match[1], key_id=data[:_KEY_ID_BYTES], value=data[_KEY_ID_BYTES:]
    )


def _split_key(text: str, what: str) -> tuple[str, str, bytes, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, material_text = rest.partition("+")
    try:
        check_name(name)
        material = canonical.decode_base64(material_text)
    except (ValueError, errors.NoteInvalid) as error:
        raise errors.KeyFileInvalid(f"not {what}: {error}") from error
    algorithm, key = material[:1], material[1:]
    if algorithm not in (ED25519, COSIGNATURE) or len(key) != _KEY_BYTES:
        raise errors.KeyFileInvalid(
            f"{what} must be of type 01 or 04 (Ed25519, 32 bytes), "
            f"type {algorithm.hex() or 'nothing'} of {len(key)} bytes came"
        )
    return name, key_id, algorithm, key
