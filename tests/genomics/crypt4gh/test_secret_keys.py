"""The secret key of every public key that is taken opens what is made for it."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from genomics.crypt4gh import keys, secret_keys, stream
from genomics.errors import KeyInvalid
from tests.genomics.crypt4gh import key_texts as texts
from tests.genomics.crypt4gh.key_texts import PASSPHRASE, secret_text

OPENSSH, PKCS8, PKCS1 = (
    PrivateFormat.OpenSSH,
    PrivateFormat.PKCS8,
    PrivateFormat.TraditionalOpenSSL,
)
PAIRS = {
    "Crypt4GH": (keys.encode_secret_key(texts.CRYPT4GH_SECRET), texts.CRYPT4GH),
    "OpenSSH": (secret_text(texts.ED25519, OPENSSH), texts.SSH),
    "OpenSSH, passphrase": (secret_text(texts.ED25519, OPENSSH, PASSPHRASE), texts.SSH),
    "PEM X25519": (secret_text(texts.X25519, PKCS8), texts.PEM_X25519),
    "PEM X25519, passphrase": (
        secret_text(texts.X25519, PKCS8, PASSPHRASE),
        texts.PEM_X25519,
    ),
    "PEM Ed25519": (secret_text(texts.ED25519, PKCS8), texts.PEM_ED25519),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_a_secret_key_belongs_to_its_public_key(kind: str) -> None:
    secret, public = PAIRS[kind]
    parsed = secret_keys.parse("\ufeff" + secret, PASSPHRASE.decode())

    assert keys.public_of(parsed) == keys.parse_public_key(public)


@pytest.mark.parametrize("kind", ["OpenSSH, passphrase", "PEM X25519, passphrase"])
def test_a_passphrase_that_is_missing_or_wrong_is_told(kind: str) -> None:
    secret, _ = PAIRS[kind]
    with pytest.raises(KeyInvalid, match="expected a passphrase"):
        secret_keys.parse(secret)
    with pytest.raises(KeyInvalid, match="expected the passphrase"):
        secret_keys.parse(secret, "battery staple")


@pytest.mark.parametrize("kind", ["Crypt4GH", "OpenSSH", "OpenSSH, passphrase"])
def test_the_ga4gh_tool_opens_a_file_made_for_the_public_key(
    kind: str, tmp_path: Path
) -> None:
    secret, public = PAIRS[kind]
    path = tmp_path / "id_ed25519"
    path.write_text(secret)
    sealed = io.BytesIO()
    stream.encrypt_stream(
        io.BytesIO(b"the challenge"), sealed, keys.parse_public_key(public)
    )

    opened = subprocess.run(
        [Path(sys.executable).with_name("crypt4gh"), "decrypt", "--sk", path],
        input=sealed.getvalue(),
        capture_output=True,
        env={"C4GH_PASSPHRASE": PASSPHRASE.decode()},
        timeout=60,
    )

    assert (opened.returncode, opened.stdout) == (0, b"the challenge"), opened.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (secret_text(texts.RSA, PKCS8), "of another type"),
        (secret_text(texts.RSA, OPENSSH), "of another type"),
        (secret_text(texts.EC, PKCS1), "of another kind"),
        ("AGE-SECRET-KEY-1QQQQ", "of another kind"),
        (texts.SSH, "the public key opens nothing"),
        (texts.PEM_X25519, "the public key opens nothing"),
        (texts.CRYPT4GH, "CRYPT4GH PRIVATE KEY"),
        ("", "a text that is none"),
        (secret_text(texts.ED25519, OPENSSH)[:90], "changed or cut off"),
        (secret_text(texts.ED25519, PKCS8)[:60], "changed or cut off"),
    ],
)
def test_what_is_no_secret_key_to_use_is_refused_with_its_reason(
    text: str, reason: str
) -> None:
    with pytest.raises(KeyInvalid, match=reason):
        secret_keys.parse(text, "a passphrase")


@given(
    st.text(max_size=60),
    st.sampled_from(["OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]),
    st.binary(max_size=60),
)
def test_any_text_is_a_secret_key_or_an_error_of_this_room(
    text: str, label: str, body: bytes
) -> None:
    for pasted in (
        texts.framed(body, label),
        texts.framed(b"openssh-key-v1\0" + body, label),
        f"-----BEGIN {label}-----\n{text}\n-----END {label}-----",
        text,
    ):
        with pytest.raises(KeyInvalid):
            secret_keys.parse(pasted, text)
