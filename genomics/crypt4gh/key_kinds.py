"""Tell what kind of key some bytes, an SSH type or the label of a frame stand for.

Sources: RFC 5958 and RFC 5280 (DER), RFC 8410 (X25519 and Ed25519 in DER), RFC 4253
section 6.6 (SSH public keys), OpenSSH's PROTOCOL.key, the Crypt4GH specification.
"""

import enum
from dataclasses import dataclass


class Form(enum.Enum):
    """What can be done with a key."""

    X25519 = "x25519"
    ED25519 = "ed25519"
    OTHER = "other"  # public, and nothing can be encrypted to it
    SECRET = "secret"  # noqa: S105 - a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of key; `name` has its article; `raw` are the 32 bytes if it is taken."""

    form: Form
    name: str
    raw: bytes = b""


_KEY_BYTES = 32
CRYPT4GH_SECRET = "a Crypt4GH secret key"  # noqa: S105 - a kind
OPENSSH_SECRET = "an OpenSSH private key"  # noqa: S105 - a kind
PEM_SECRET = "a PEM private key"  # noqa: S105 - a kind
SSH_ED25519 = "an SSH key of type ed25519"
_CERTIFICATE = "an X.509 certificate"

# SubjectPublicKeyInfo up to the 32 bytes of key, RFC 8410 section 4.
_SPKI_X25519 = bytes.fromhex("302a300506032b656e032100")
_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
# An SSH public key up to its 32 bytes of key, RFC 8709 section 4.
_SSH_ED25519 = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"

# Object identifiers as they stand in DER.
_ALGORITHMS = {
    "2a864886f70d010101": "an RSA key",
    "2a864886f70d01010a": "an RSA key",
    "2a8648ce3d0201": "an elliptic curve key (ECDSA)",
    "2a8648ce380401": "a DSA key",
    "2a864886f70d010301": "a Diffie-Hellman key",
    "2b656f": "an X448 key",
    "2b6571": "an Ed448 key",
}
# By labels without blanks, as in -----BEGIN LABEL-----.
_LABELS = {
    "CRYPT4GHPRIVATEKEY": (Form.SECRET, CRYPT4GH_SECRET),
    "CRYPT4GHENCRYPTEDPRIVATEKEY": (Form.SECRET, CRYPT4GH_SECRET),
    "OPENSSHPRIVATEKEY": (Form.SECRET, OPENSSH_SECRET),
    "SSH2ENCRYPTEDPRIVATEKEY": (Form.SECRET, "an SSH private key"),
    "PRIVATEKEY": (Form.SECRET, PEM_SECRET),
    "ENCRYPTEDPRIVATEKEY": (Form.SECRET, "an encrypted PEM private key"),
    "RSAPRIVATEKEY": (Form.SECRET, "an RSA private key"),
    "ECPRIVATEKEY": (Form.SECRET, "an elliptic curve private key"),
    "DSAPRIVATEKEY": (Form.SECRET, "a DSA private key"),
    "PGPPRIVATEKEYBLOCK": (Form.SECRET, "a PGP private key"),
    "PGPSECRETKEYBLOCK": (Form.SECRET, "a PGP private key"),
    "PGPPUBLICKEYBLOCK": (Form.OTHER, "a PGP public key"),
    "PGPMESSAGE": (Form.OTHER, "a PGP message"),
    "PGPSIGNATURE": (Form.OTHER, "a PGP signature"),
    "RSAPUBLICKEY": (Form.OTHER, "an RSA key"),
    "SSH2PUBLICKEY": (
        Form.OTHER,
        "an SSH key in the form of RFC 4716 (if it is of type ed25519, "
        "`ssh-keygen -i -f FILE` prints the line that is taken)",
    ),
    "CERTIFICATE": (Form.OTHER, _CERTIFICATE),
    "X509CERTIFICATE": (Form.OTHER, _CERTIFICATE),
    "TRUSTEDCERTIFICATE": (Form.OTHER, _CERTIFICATE),
    "CERTIFICATEREQUEST": (Form.OTHER, "a certificate request"),
    "NEWCERTIFICATEREQUEST": (Form.OTHER, "a certificate request"),
    "AGEENCRYPTEDFILE": (Form.OTHER, "a file encrypted with age"),
}
_SSH_TYPES = {
    "ssh-rsa": "an SSH key of type RSA (ssh-rsa)",
    "ssh-dss": "an SSH key of type DSA (ssh-dss)",
    "ssh-ed448": "an SSH key of type Ed448 (ssh-ed448)",
}


def of_label(label: str) -> Kind | None:
    """Return the kind that a label (capitals, no blanks) names; None: see the body."""
    if label in _LABELS:
        form, name = _LABELS[label]
        return Kind(form=form, name=name)
    if "PRIVATEKEY" in label or "SECRETKEY" in label:
        return Kind(form=Form.SECRET, name="a private key")
    if label in {"CRYPT4GHPUBLICKEY", "PUBLICKEY"}:
        return None
    return Kind(form=Form.OTHER, name="something else between lines of dashes")


def of_ssh_type(type_name: str) -> Kind | None:
    """Return the kind that an SSH type (small letters) names; None: see the body."""
    if type_name == "ssh-ed25519":
        return None
    if "-cert-v" in type_name:
        return Kind(form=Form.OTHER, name="an SSH certificate")
    if type_name.startswith("sk-"):
        return Kind(
            form=Form.OTHER,
            name="an SSH key inside a security key (sk-), which decrypts no files",
        )
    if type_name.startswith("ecdsa-"):
        return Kind(form=Form.OTHER, name="an SSH key of type ECDSA (ecdsa-sha2)")
    return Kind(
        form=Form.OTHER, name=_SSH_TYPES.get(type_name, "an SSH key of another type")
    )


def of_body(body: bytes) -> Kind | None:
    """Return the kind of key that says itself what it is; None: the bytes do not.

    >>> of_body(bytes.fromhex("302a300506032b656e032100") + bytes(32)).name
    'an X25519 key in PEM'
    """
    if body.startswith(b"c4gh-v1"):
        return Kind(form=Form.SECRET, name=CRYPT4GH_SECRET)
    if body.startswith(b"openssh-key-v1"):
        return Kind(form=Form.SECRET, name=OPENSSH_SECRET)
    if body.startswith((b"\x00\x00\x00\x07ssh-", b"\x00\x00\x00\x0bssh-")) or (
        body[:3] == bytes(3) and body[4:14] == b"ecdsa-sha2"
    ):
        return _of_ssh_body(body)
    for prefix, form, name in (
        (_SPKI_X25519, Form.X25519, "an X25519 key in PEM"),
        (_SPKI_ED25519, Form.ED25519, "an Ed25519 key in PEM"),
    ):
        if body.startswith(prefix) and len(body) == len(prefix) + _KEY_BYTES:
            return Kind(form=form, name=name, raw=body[len(prefix) :])
    return _of_der(body)


def _of_ssh_body(body: bytes) -> Kind | None:
    if body.startswith(_SSH_ED25519):
        raw = body[len(_SSH_ED25519) :]
        if len(raw) != _KEY_BYTES:
            return None
        return Kind(form=Form.ED25519, name=SSH_ED25519, raw=raw)
    type_name = body[4 : 4 + body[3]].decode("ascii", "replace")
    return of_ssh_type(type_name)


def _of_der(body: bytes) -> Kind | None:
    """Look at the outer two levels of a DER structure."""
    inside = _contents(body, 0x30)
    if inside is None:
        return None
    integer = _contents(inside, 0x02)
    if integer is not None:
        # A version (0 or 1), or the modulus of an RSA public key.
        if len(integer) == 1:
            return Kind(form=Form.SECRET, name=PEM_SECRET)
        return Kind(form=Form.OTHER, name="an RSA key")
    first = _contents(inside, 0x30)
    if first is None:
        return None
    identifier = _contents(first, 0x06)
    if identifier is None:
        return Kind(form=Form.OTHER, name=_CERTIFICATE)
    if identifier.hex().startswith("2a864886f70d01050d"):  # PBES2, RFC 8018
        return Kind(form=Form.SECRET, name="an encrypted PEM private key")
    name = _ALGORITHMS.get(identifier.hex())
    return Kind(form=Form.OTHER, name=name) if name else None


def _contents(data: bytes, tag: int) -> bytes | None:
    """Return the contents of the first element if it has this tag; cut is allowed."""
    if len(data) < 2 or data[0] != tag:
        return None
    if data[1] < 0x80:
        return data[2 : 2 + data[1]]
    count = data[1] & 0x7F
    if not 1 <= count <= 3:
        return None
    size = int.from_bytes(data[2 : 2 + count], "big")
    return data[2 + count : 2 + count + size]
