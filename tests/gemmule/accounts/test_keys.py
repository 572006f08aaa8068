"""Public keys are read strictly, secret keys refused, and proofs hold."""

import base64
import doctest
import hashlib
import logging
from collections.abc import Callable

import pytest
from crypt4gh.keys import get_public_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from gemmule.accounts import keys
from gemmule.accounts.errors import KeyRefused, ProofRefused, SecretKeyRefused
from tests.gemmule.accounts.conftest import KeyPair

BEGIN = "-----BEGIN CRYPT4GH PUBLIC KEY-----"
END = "-----END CRYPT4GH PUBLIC KEY-----"
PRIME = 2**255 - 19

# The points of low order on Curve25519: https://cr.yp.to/ecdh.html#validate .
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    PRIME - 1,
]


def framed(key: bytes) -> str:
    return f"{BEGIN}\n{base64.b64encode(key).decode()}\n{END}\n"


def test_examples_in_the_module_hold() -> None:
    assert doctest.testmod(keys).failed == 0


def test_key_of_the_tool_is_read_as_the_tool_reads_it(pair: KeyPair) -> None:
    key = keys.parse_public_key(pair.public_text)

    assert key == get_public_key(str(pair.public))
    assert keys.public_key_text(key) == pair.public_text


@pytest.mark.parametrize("newline", ["\r\n", "\n\n", " \n  "])
def test_white_space_round_the_lines_is_forgiven(pair: KeyPair, newline: str) -> None:
    text = "\n  " + pair.public_text.replace("\n", newline)

    assert keys.parse_public_key(text) == keys.parse_public_key(pair.public_text)


def test_fingerprint_is_the_sha256_of_the_32_bytes() -> None:
    key = bytes(range(32))

    assert keys.fingerprint(key) == hashlib.sha256(key).hexdigest()


def secret_pem(form: serialization.PrivateFormat) -> str:
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        .decode()
    )


def test_secret_key_of_the_tool_is_refused_and_never_quoted(
    new_pair: Callable[..., KeyPair],
) -> None:
    for pair in (new_pair(), new_pair(b"a passphrase")):
        secret = pair.secret_text
        body = secret.splitlines()[1]
        for text in (
            secret,
            pair.public_text + secret,
            body,  # without its frame
            f"{BEGIN}\n{body}\n{END}\n",  # in the wrong frame
            f"{BEGIN}\n{body[:5]}\n{body[5:]}\n{END}\n",  # broken over two lines
            secret.replace("PRIVATE KEY", "private  key"),
            "my key is " + body,
        ):
            with pytest.raises(SecretKeyRefused) as refusal:
                keys.parse_public_key(text)
            assert body[:16] not in str(refusal.value)


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.OpenSSH, serialization.PrivateFormat.PKCS8]
)
def test_secret_keys_of_other_tools_are_refused(
    form: serialization.PrivateFormat,
) -> None:
    with pytest.raises(SecretKeyRefused):
        keys.parse_public_key(secret_pem(form))


def test_openssh_secret_key_without_its_frame_is_refused() -> None:
    pem = secret_pem(serialization.PrivateFormat.OpenSSH)

    with pytest.raises(SecretKeyRefused):
        keys.parse_public_key("".join(pem.splitlines()[1:-1]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty text"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG== rosa", "whole line of the .pub"),
        (base64.b64encode(bytes(range(32))).decode(), "whole text"),
        (f"{BEGIN}\n{END}\n", "base64"),
        (f"{BEGIN}\nCQ==", "whole text"),
        (framed(b"\x09" * 31), "got 31"),
        (framed(b"\x09" * 33), "got 33"),
        (f"{BEGIN}\nCQ*=\n{END}", "base64"),
        (f"{BEGIN}\nCQÄ=\n{END}", "base64"),
        (f"{BEGIN}\nCQAA\nA\n{END}", "base64"),
        (framed(b"\x09" * 32) + framed(b"\x08" * 32), "expected one key, got 2"),
        ("x" * 5000, "at most 4096"),
    ],
)
def test_what_is_not_one_public_key_is_refused_with_its_reason(
    text: str, reason: str
) -> None:
    with pytest.raises(KeyRefused, match=reason) as refusal:
        keys.parse_public_key(text)
    assert not isinstance(refusal.value, SecretKeyRefused)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_points_of_low_order_are_refused(point: int) -> None:
    with pytest.raises(KeyRefused, match="weak key"):
        keys.parse_public_key(framed(point.to_bytes(32, "little")))


@pytest.mark.parametrize("number", [PRIME, PRIME + 9, 2**255 - 1, 2**255 + 9])
def test_numbers_that_stand_for_smaller_ones_are_refused(number: int) -> None:
    with pytest.raises(KeyRefused, match="X25519"):
        keys.parse_public_key(framed(number.to_bytes(32, "little")))


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_can_be_generated_round_trips(secret: bytes) -> None:
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    assert keys.parse_public_key(keys.public_key_text(public)) == public


@given(st.text(max_size=300) | st.binary(max_size=90).map(framed))
@example(f"{BEGIN}\n\N{FULLWIDTH DIGIT ONE}\n{END}")
def test_garbage_is_refused_and_nothing_else(text: str) -> None:
    try:
        assert len(keys.parse_public_key(text)) == 32
    except KeyRefused:
        pass


def test_challenge_opens_with_the_tool_and_answers_itself(pair: KeyPair) -> None:
    challenge = keys.new_challenge(keys.parse_public_key(pair.public_text))

    opened = pair.decrypt(challenge.file)

    assert opened.returncode == 0, opened.stderr
    answer = opened.stdout.decode()
    assert len(answer) == 65
    keys.verify_answer(answer, challenge.answer_sha256)
    keys.verify_answer(f"  {answer.strip().upper()} \n", challenge.answer_sha256)


def test_challenge_stays_closed_to_another_key(
    new_pair: Callable[..., KeyPair],
) -> None:
    mine, other = new_pair(), new_pair()
    challenge = keys.new_challenge(keys.parse_public_key(mine.public_text))

    opened = other.decrypt(challenge.file)

    assert opened.returncode != 0
    assert opened.stdout == b""


def test_no_two_challenges_are_the_same(pair: KeyPair) -> None:
    key = keys.parse_public_key(pair.public_text)
    made = [keys.new_challenge(key) for _ in range(3)]

    assert len({challenge.answer_sha256 for challenge in made}) == 3
    assert len({challenge.file for challenge in made}) == 3


@pytest.mark.parametrize("answer", ["", "0" * 64, "not hexadecimal", "\N{SNOWMAN}"])
def test_wrong_answer_proves_nothing(pair: KeyPair, answer: str) -> None:
    challenge = keys.new_challenge(keys.parse_public_key(pair.public_text))

    with pytest.raises(ProofRefused):
        keys.verify_answer(answer, challenge.answer_sha256)


def test_secret_key_given_as_answer_is_told_to_be_one(pair: KeyPair) -> None:
    with pytest.raises(SecretKeyRefused):
        keys.verify_answer(pair.secret_text, "0" * 64)


def test_library_writes_no_secret_to_the_log(
    pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        keys.new_challenge(keys.parse_public_key(pair.public_text))

    assert caplog.records == []
