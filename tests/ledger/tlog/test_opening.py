"""An opening shows the one body that an entry commits to."""

import dataclasses
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import commitments, errors
from ledger.tlog import opening
from ledger.tlog.opening import Opening

EVENT = UUID("4bd6a2f0-5a1c-4f0e-9a39-0a2f6c1f1d11")
GOOD = Opening(
    event=EVENT,
    key=bytes(range(32)),
    body={
        "donor": "6f0c",
        "subject_seq": 3,
        "terms": ["GRU", None, True, {"\u00e9": 1}],
    },
)
DATA = (
    '{"body":{"donor":"6f0c","subject_seq":3,"terms":["GRU",null,true,{"\u00e9":1}]},'
    '"event":"4bd6a2f0-5a1c-4f0e-9a39-0a2f6c1f1d11",'
    '"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","v":1}'
).encode()
BODY = DATA[DATA.index(b":") + 1 : DATA.index(b',"event"')]
COMMIT = commitments.commit(GOOD.key, BODY)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_an_opening_is_written_in_canonical_json() -> None:
    assert GOOD.encode() == DATA
    assert Opening.parse(DATA) == GOOD


def test_it_opens_the_commitment_of_its_entry_and_no_other() -> None:
    opening.check(GOOD, COMMIT)
    for other in (bytes(32), COMMIT[:-1], COMMIT + b"\x00", b""):
        with pytest.raises(errors.OpeningInvalid, match="not the one the entry"):
            opening.check(GOOD, other)


def test_it_opens_what_the_ledger_commits_to() -> None:
    subject_key = bytes(32)
    key = commitments.commitment_key(subject_key, EVENT)
    made = dataclasses.replace(GOOD, key=key)
    opening.check(made, commitments.commit(key, BODY))
    other = commitments.commitment_key(subject_key, UUID(int=1))
    with pytest.raises(errors.OpeningInvalid):
        opening.check(made, commitments.commit(other, BODY))


@given(
    st.dictionaries(st.text(), JSON, max_size=3),
    st.uuids(),
    st.binary(min_size=32, max_size=32),
)
def test_every_opening_reads_back(
    body: dict[str, Any], event: UUID, key: bytes
) -> None:
    made = Opening(event=event, key=key, body=body)
    assert Opening.parse(made.encode()) == made


def test_any_flipped_bit_of_key_or_body_is_refused() -> None:
    event = DATA.index(str(EVENT).encode())
    for at in range(len(DATA)):
        for bit in range(8):
            changed = bytearray(DATA)
            changed[at] ^= 1 << bit
            try:
                found = Opening.parse(bytes(changed))
            except errors.OpeningInvalid:
                continue
            # The name of the act is vouched for by nobody; all else is.
            if event <= at < event + 36:
                assert dataclasses.replace(found, event=EVENT) == GOOD
                continue
            with pytest.raises(errors.OpeningInvalid):
                opening.check(found, COMMIT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"body"', ' {"body"'),
        ('"v":1}', '"v":1}\n'),
        ('"v":1}', '"v":1 }'),
        ('"v":1}', '"v":2}'),
        ('"v":1}', '"v":true}'),
        ('"v":1}', '"v":1.0}'),
        ('"v":1}', '"v":1,"w":1}'),
        ('"v":1}', '"v":1,"v":1}'),
        (',"v":1}', "}"),
        ("4bd6", "4BD6"),
        ("4bd6a2f0-", "4bd6a2f0"),
        ('"4bd6', '"{4bd6'),
        ('"4bd6a2f0-5a1c-4f0e-9a39-0a2f6c1f1d11"', "7"),
        ('"AAEC', '"BAEC'[:-1]),
        ("Hh8=", "Hh9="),
        ("Hh8=", "Hg=="),
        ('"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="', "null"),
        ('"subject_seq":3', '"subject_seq":3.0'),
        ('"subject_seq":3', '"subject_seq":9007199254740992'),
        ('"subject_seq":3', '"subject_seq":03'),
        ('"donor":"6f0c","subject_seq":3', '"subject_seq":3,"donor":"6f0c"'),
        ('"donor":"6f0c"', '"donor":"6f0c","donor":"6f0c"'),
        ('"6f0c"', '"\\u0036f0c"'),
        ('"6f0c"', '"\\ud800"'),
        ('"6f0c"', "NaN"),
    ],
)
def test_another_text_is_no_opening(old: str, new: str) -> None:
    text = DATA.decode()
    assert old in text
    with pytest.raises(errors.OpeningInvalid):
        Opening.parse(text.replace(old, new).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"body"',
        b"\xff",
        DATA.replace(BODY, b"[]"),
        DATA.replace(BODY, b"null"),
        DATA.replace(BODY, b"[" * 100_000),
        DATA.replace(BODY, b'{"a":' * 5000 + b"1" + b"}" * 5000),
        b" " * (opening.MAX_BYTES + 1),
    ],
    ids=range(10),
)
def test_another_shape_is_no_opening(data: bytes) -> None:
    with pytest.raises(errors.OpeningInvalid):
        Opening.parse(data)


@given(st.binary(max_size=200))
def test_garbage_raises_opening_invalid(data: bytes) -> None:
    with pytest.raises(errors.OpeningInvalid):
        Opening.parse(data)


def test_a_key_of_another_length_opens_nothing() -> None:
    with pytest.raises(errors.OpeningInvalid, match="32 bytes"):
        opening.check(dataclasses.replace(GOOD, key=GOOD.key + b"\x00"), COMMIT)


def test_a_body_that_is_no_json_is_neither_written_nor_checked() -> None:
    body: dict[str, Any] = {"height": 1.75}
    made = dataclasses.replace(GOOD, body=body)
    with pytest.raises(errors.OpeningInvalid, match="no body can be written so"):
        made.encode()
    with pytest.raises(errors.OpeningInvalid, match="no body can be written so"):
        opening.check(made, COMMIT)


def test_an_opening_does_not_show_its_key_or_body() -> None:
    assert "6f0c" not in repr(GOOD) and "key" not in repr(GOOD)
