"""Public and secret keys of many tools, as the text of their files.

Made here with `cryptography`; what is only ever refused is written out.
"""

import base64

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from genomics.crypt4gh import keys

BEGIN = "-----BEGIN CRYPT4GH PUBLIC KEY-----"
END = "-----END CRYPT4GH PUBLIC KEY-----"
PASSPHRASE = b"correct horse"

Secret = ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey
Any = Secret | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
X25519 = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32)))
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
CRYPT4GH_SECRET = bytes(range(1, 33))
CRYPT4GH_KEY = keys.public_of(CRYPT4GH_SECRET)
CRYPT4GH = keys.encode_public_key(CRYPT4GH_KEY)


def pem(secret: Any) -> str:
    return (
        secret.public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def ssh(secret: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return (
        secret.public_key()
        .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        .decode()
    )


def secret_text(
    secret: Any, form: PrivateFormat, passphrase: bytes | None = None
) -> str:
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase:
        encryption = BestAvailableEncryption(passphrase)
    return secret.private_bytes(Encoding.PEM, form, encryption).decode()


def framed(body: bytes, label: str = "CRYPT4GH PUBLIC KEY") -> str:
    encoded = base64.encodebytes(body).decode().strip()
    return f"-----BEGIN {label}-----\n{encoded}\n-----END {label}-----\n"


SSH = f"{ssh(ED25519)} rosa@laptop\n"
SSH_BLOB = SSH.split()[1]
PEM_X25519 = pem(X25519)
PEM_ED25519 = pem(ED25519)
# Made by `age-keygen`'s format and OpenPGP's; none of them is anyone's key.
AGE = f"age1{'q' * 58}\n"
PGP = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{'mDME' * 16}\n=njUN\n-----END PGP PUBLIC KEY BLOCK-----\n"  # noqa: E501
SSH2 = f'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "256-bit"\n{SSH_BLOB}\n---- END SSH2 PUBLIC KEY ----\n'  # noqa: E501
