"""Ed25519 keys become the X25519 keys that GA4GH's own tool (libsodium) makes."""

import pytest
from crypt4gh import sodium
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics.crypt4gh import edwards, keys, x25519
from genomics.errors import KeyInvalid
from tests.genomics.crypt4gh import key_texts

# All encodings of points of small order, from libsodium's blocklist (ed25519_ref10.c,
# ge25519_has_small_order), with and without the sign.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_a_key_becomes_what_libsodium_makes_of_it(seed: bytes) -> None:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()

    assert edwards.x25519_of(public) == sodium.sign_ed25519_pk_to_curve25519(public)


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_what_libsodium_refuses_is_refused(key: bytes) -> None:
    """Seven of eight points lie outside the group, half the numbers are no point."""
    try:
        expected = sodium.sign_ed25519_pk_to_curve25519(key)
    except Exception:  # noqa: BLE001 - the oracle has no class of its own
        with pytest.raises(KeyInvalid):
            edwards.x25519_of(key)
    else:
        assert edwards.x25519_of(key) == expected


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_points_of_small_order_are_refused_from_every_kind_of_file(
    encoded: str, sign: int
) -> None:
    key = bytearray.fromhex(encoded)
    key[31] |= sign
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + key
    pem = bytes.fromhex("302a300506032b6570032100") + key
    ssh = key_texts.framed(blob).splitlines()
    for text in (
        f"ssh-ed25519 {''.join(ssh[1:-1])} rosa",
        key_texts.framed(pem, "PUBLIC KEY"),
    ):
        with pytest.raises(KeyInvalid, match=r"weak Ed25519 key|no point"):
            keys.parse_public_key(text)


@pytest.mark.parametrize("number", [3, 18])
def test_a_second_encoding_of_a_number_is_refused(number: int) -> None:
    key = (x25519.FIELD_PRIME + number).to_bytes(32, "little")
    with pytest.raises(KeyInvalid, match="no point"):
        edwards.x25519_of(key)


X25519_PREFIX = bytes.fromhex("302a300506032b656e032100")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(0, "weak"), (1, "weak"), (x25519.FIELD_PRIME - 1, "weak")]
    + [(x25519.FIELD_PRIME + step, "no tool writes") for step in (0, 1, 9)]
    + [(2**255 + 9, "no tool writes")],
)
def test_unusable_x25519_keys_are_refused_in_pem_and_crypt4gh(
    number: int, reason: str
) -> None:
    key = number.to_bytes(32, "little")
    for text in (
        key_texts.framed(key),
        key_texts.framed(X25519_PREFIX + key, "PUBLIC KEY"),
    ):
        with pytest.raises(KeyInvalid, match=reason):
            keys.parse_public_key(text)
