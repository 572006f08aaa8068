"""Key files, checked against those that GA4GH's own tool makes and reads."""

import base64
from pathlib import Path

import crypt4gh.keys
import crypt4gh.keys.c4gh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics.crypt4gh import keys
from genomics.errors import KeyInvalid, SecretKeyPasted


def ga4gh_pair(folder: Path, passphrase: bytes | None) -> tuple[str, str]:
    secret, public = folder / "key.sec", folder / "key.pub"
    crypt4gh.keys.c4gh.generate(str(secret), str(public), passphrase, b"a comment")
    return secret.read_text(), public.read_text()


def secret_file(body: str) -> str:
    label = "CRYPT4GH PRIVATE KEY"
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def test_key_files_of_the_ga4gh_tool_are_read(tmp_path: Path) -> None:
    secret_text, public_text = ga4gh_pair(tmp_path, None)
    secret = keys.parse_secret_key(secret_text)
    assert keys.public_of(secret) == keys.parse_public_key(public_text)


def test_the_ga4gh_tool_reads_our_key_files(tmp_path: Path) -> None:
    secret, public = keys.generate()
    (tmp_path / "key.sec").write_text(keys.encode_secret_key(secret))
    (tmp_path / "key.pub").write_text(keys.encode_public_key(public))
    read_secret = crypt4gh.keys.get_private_key(str(tmp_path / "key.sec"), None)
    assert bytes(read_secret) == secret
    assert bytes(crypt4gh.keys.get_public_key(str(tmp_path / "key.pub"))) == public


def test_a_secret_key_under_a_passphrase_needs_it(tmp_path: Path) -> None:
    secret_text, public_text = ga4gh_pair(tmp_path, b"correct horse")
    secret = keys.parse_secret_key(secret_text, "correct horse")
    assert keys.public_of(secret) == keys.parse_public_key(public_text)
    with pytest.raises(KeyInvalid, match="expected a passphrase"):
        keys.parse_secret_key(secret_text)
    with pytest.raises(KeyInvalid, match="expected the passphrase"):
        keys.parse_secret_key(secret_text, "battery staple")


OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"


def test_a_secret_key_pasted_as_a_public_one_is_named_as_such() -> None:
    secret, _ = keys.generate()
    text = keys.encode_secret_key(secret)
    for pasted in (
        text,
        text.splitlines()[1],  # the body alone
        text.replace("PRIVATE", "PUBLIC"),
        OPENSSH,
        "AGE-SECRET-KEY-1QQQQ",
    ):
        with pytest.raises(SecretKeyPasted) as caught:
            keys.parse_public_key(pasted)
        assert text.splitlines()[1] not in str(caught.value)


def test_unusable_public_keys_are_refused() -> None:
    low_order = base64.b64decode("4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=")
    for key in (bytes(32), (1).to_bytes(32, "little"), low_order):
        with pytest.raises(KeyInvalid, match="full order"):
            keys.parse_public_key(keys.encode_public_key(key))
    with pytest.raises(KeyInvalid, match="32 bytes"):
        keys.encode_public_key(bytes(31))


@given(st.text(max_size=300))
def test_any_text_is_a_key_or_an_error_of_this_room(text: str) -> None:
    with pytest.raises(KeyInvalid):
        keys.parse_public_key(text)
    body = (
        "-----BEGIN CRYPT4GH PRIVATE KEY-----\n{}\n-----END CRYPT4GH PRIVATE KEY-----"
    )
    with pytest.raises(KeyInvalid):
        keys.parse_secret_key(body.format(text))


@given(st.binary(max_size=120))
def test_any_secret_key_body_is_a_key_or_an_error_of_this_room(body: bytes) -> None:
    encoded = base64.b64encode(b"c4gh-v1" + body).decode()
    with pytest.raises(KeyInvalid):
        keys.parse_secret_key(secret_file(encoded), "a passphrase")


def test_a_fingerprint_is_the_digest_of_the_raw_key() -> None:
    assert keys.fingerprint(bytes(32)) == (
        "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )
