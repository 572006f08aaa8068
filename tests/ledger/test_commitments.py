"""Commitments open to one body, with one key, and tell nothing without it."""

import hashlib
import hmac
import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import commitments, errors

KEY = bytes(range(32))
EVENT = uuid.UUID("6f1c6d9e-6f0f-4f07-8f57-0a2f6a1f7f11")
KEYS = st.binary(min_size=32, max_size=32)


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block: extract with a salt of zeros, expand once."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


@given(KEYS, st.uuids(), st.binary(max_size=60))
def test_the_commitment_is_the_documented_formula(
    key: bytes, event: uuid.UUID, body: bytes
) -> None:
    event_key = hkdf(key, b"gemmule/ledger/commit/v1" + event.bytes)
    assert commitments.commitment_key(key, event) == event_key
    expected = hmac.new(event_key, body, hashlib.sha256).digest()
    assert commitments.commit(event_key, body) == expected


def test_a_commitment_opens_to_its_body_and_no_other() -> None:
    key = commitments.commitment_key(KEY, EVENT)
    made = commitments.commit(key, b'{"terms":1}')
    commitments.check_opening(made, key, b'{"terms":1}')
    for body, other in ((b'{"terms":2}', key), (b'{"terms":1}', KEY)):
        with pytest.raises(errors.OpeningInvalid, match="not the one"):
            commitments.check_opening(made, other, body)


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\0"])
def test_a_key_of_another_length_opens_nothing(key: bytes) -> None:
    """HMAC pads with zeros: KEY and KEY + zeros would give the same."""
    made = commitments.commit(KEY, b"{}")
    with pytest.raises(errors.OpeningInvalid, match="32 bytes"):
        commitments.check_opening(made, key, b"{}")


def test_keys_of_one_subject_differ_by_event_and_purpose() -> None:
    other = uuid.UUID(int=EVENT.int ^ 1)
    derived = [
        commitments.commitment_key(KEY, EVENT),
        commitments.commitment_key(KEY, other),
        commitments.sample_key(KEY, EVENT.bytes),
        commitments.sample_key(KEY, other.bytes),
        commitments.commitment_key(bytes(32), EVENT),
        KEY,
    ]
    for one, two in itertools.combinations(derived, 2):
        assert one != two


@given(KEYS, st.uuids(), st.binary(max_size=60))
def test_a_sealed_body_opens(key: bytes, event: uuid.UUID, body: bytes) -> None:
    sealed = commitments.seal_body(key, event, body)
    assert commitments.open_body(key, event, sealed) == body
    assert len(sealed) == len(body) + 12 + 16


def test_a_body_is_never_sealed_alike_twice() -> None:
    assert len({commitments.seal_body(KEY, EVENT, b"{}") for _ in range(20)}) == 20


def test_any_flipped_bit_of_a_sealed_body_is_refused() -> None:
    sealed = commitments.seal_body(KEY, EVENT, b'{"terms":1}')
    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(errors.VaultSealBroken):
            commitments.open_body(KEY, EVENT, bytes(changed))


def test_a_sealed_body_opens_for_its_event_and_key_only() -> None:
    sealed = commitments.seal_body(KEY, EVENT, b"{}")
    for key, event in ((bytes(32), EVENT), (KEY, uuid.uuid4())):
        with pytest.raises(errors.VaultSealBroken, match="does not open"):
            commitments.open_body(key, event, sealed)
    for broken in (b"", sealed[:11], sealed[:12], sealed[:-1]):
        with pytest.raises(errors.VaultSealBroken):
            commitments.open_body(KEY, EVENT, broken)
