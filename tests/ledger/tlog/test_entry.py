"""An entry has one sequence of bytes, and nothing else is an entry."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import canonical, entry, hashing
from ledger.tlog.entry import Entry

MakeEntry = Callable[..., Entry]

BYTES = (
    b'{"commit":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",'
    b'"prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",'
    b'"pub":{"duo":["DUO:0000042","HMB"],"request_sha256":"' + b"ab" * 32 + b'"},'
    b'"seq":7,"time":"2026-11-22T15:43:34.123Z","type":"access.submitted","v":1}'
)


def test_the_bytes_of_an_entry(make_entry: MakeEntry) -> None:
    assert entry.encode(make_entry()) == BYTES
    assert entry.parse(BYTES) == make_entry()


def test_the_bytes_are_those_of_rfc_8785() -> None:
    assert rfc8785.dumps(canonical.read(BYTES)) == BYTES


@given(
    seq=st.integers(0, 2**53 - 1),
    prev=st.binary(min_size=32, max_size=32),
    commit=st.binary(min_size=32, max_size=32),
    moment=st.datetimes(
        datetime(1, 1, 1),  # noqa: DTZ001 - hypothesis takes the zone apart
        timezones=st.just(UTC),
    ),
)
def test_every_entry_reads_back(
    seq: int, prev: bytes, commit: bytes, moment: datetime
) -> None:
    made = Entry(
        seq=seq,
        prev=hashing.LeafHash(prev),
        time=entry.to_milliseconds(moment),
        type="consent.given",
        pub={},
        commit=commit,
    )
    assert entry.parse(entry.encode(made)) == made


def test_a_moment_becomes_utc_cut_to_the_millisecond() -> None:
    moment = datetime(2026, 1, 1, 1, 0, 0, 123999, timezone(timedelta(hours=2)))
    expected = datetime(2025, 12, 31, 23, 0, 0, 123000, UTC)
    assert entry.to_milliseconds(moment) == expected


def either(parse: Callable[[bytes], Entry | None], data: bytes) -> Entry | None:
    try:
        return parse(data)
    except errors.EntryInvalid:
        return None


PIECES = st.sampled_from(
    [b"", b" ", b"0", b"}", b"{}", b"=", b"\\u0041", b"24", b"60", b"e1", b"\xff"]
) | st.binary(max_size=4)


@given(st.data())
def test_the_quick_reading_agrees_with_the_thorough_one(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BYTES)))
    end = start + data.draw(st.integers(0, 4))
    changed = BYTES[:start] + data.draw(PIECES) + BYTES[end:]
    assert either(entry._parse_written, changed) == either(entry._parse_any, changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"pub":{', b'"pub":{"seq":7,'),
        (b'"],"request', b'","},\\"seq\\":7"],"request'),
        (b'},"seq"', b'},"x":{},"seq"'),
        (b"T15:43", b"T24:00"),
        (b"43:34", b"43:60"),
        (b'"HMB"', b'"HM\\u0042"'),
        (b'"HMB"', b'"\\ud800"'),
        (b'"HMB"', b"[" * 3000 + b"]" * 3000),
        (b'"seq":7', b'"seq":9007199254740992'),
    ],
)
def test_the_quick_reading_takes_nothing_that_is_not_canonical(
    old: bytes, new: bytes
) -> None:
    changed = BYTES.replace(old, new)
    assert entry._parse_written(BYTES) == entry._parse_any(BYTES)
    assert entry._parse_written(changed) is None
    assert either(entry._parse_any, changed) is None


def test_entries_with_the_same_public_part_do_not_share_it() -> None:
    found, other = entry.parse(BYTES), entry.parse(BYTES)
    duo = found.pub["duo"]
    assert isinstance(duo, list)
    duo.append("GRU")
    assert entry.parse(BYTES) == other


def test_any_flipped_bit_is_refused_or_is_another_entry() -> None:
    original = entry.parse(BYTES)
    leaf = hashing.leaf_hash(BYTES)
    refused = 0
    for at in range(len(BYTES)):
        for bit in range(8):
            changed = bytearray(BYTES)
            changed[at] ^= 1 << bit
            data = bytes(changed)
            try:
                found = entry.parse(data)
            except errors.EntryInvalid:
                refused += 1
            else:
                # A digit or letter of a value: valid in itself, so it is the leaf
                # hash that tells; no two writings of one entry exist.
                assert found != original
                assert hashing.leaf_hash(data) != leaf
    assert refused > len(BYTES)


@given(st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(errors.EntryInvalid):
        entry.parse(data)


@given(st.data())
def test_a_piece_put_in_or_taken_out_is_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BYTES) - 1))
    length = data.draw(st.integers(0, 8))
    piece = data.draw(st.binary(max_size=8))
    changed = BYTES[:start] + piece + BYTES[start + length :]
    if changed != BYTES:
        try:
            assert entry.parse(changed) != entry.parse(BYTES)
        except errors.EntryInvalid:
            pass  # The common case; the other keeps the form and says something else.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b'"v":1', b'"v":1.0'),
        (b'"seq":7', b'"seq":-1'),
        (b'"seq":7', b'"seq":07'),
        (b'"seq":7', b'"seq":true'),
        (b'"seq":7', b'"seq":"7"'),
        (b'"seq":7', b'"seq":9007199254740992'),
        (b'"seq":7', b'"seq": 7'),
        (b'"seq":7', b'"seq":7,"seq":7'),
        (b'"seq":7', b'"seq":' + b"7" * 5000),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":1,"w":1}'),
        (b',"v":1}', b"}"),
        (b"HMB", b"HM\\u0042"),
        (b'["DUO:0000042","HMB"]', b'["HMB","DUO:0000042"]'),
        (b"access.submitted", b"access.requested"),
        (b'"request_sha256"', b'"request_sha512"'),
        (b'"type":"access.submitted"', b'"type":1'),
        (b"123Z", b"12Z"),
        (b"123Z", b"1234Z"),
        (b"Z", b"+00:00"),
        (b"2026-11-22", b"2026-11-31"),
        (b"T15:43:34.123", b"T24:00:00.000"),
        (b"2026-11-22", b"2026-W47-7"),
        (b'"2026-11-22T15:43:34.123Z"', b"1"),
        (b'Hh8="', b'Hh9="'),
        (b'Hh8="', b'Hg=="'),
        (b'"pub":{', b'"pub":[{'),
        (b'"AAAAAAAA', b'" AAAAAAA'),
    ],
)
def test_another_writing_or_value_is_refused(old: bytes, new: bytes) -> None:
    assert BYTES.count(old) >= 1
    with pytest.raises(errors.EntryInvalid):
        entry.parse(BYTES.replace(old, new))


@pytest.mark.parametrize("value", [b"[]", b"1", b"null", b"{}", b'"entry"'])
def test_other_json_is_no_entry(value: bytes) -> None:
    with pytest.raises(errors.EntryInvalid, match="expected an object with the keys"):
        entry.parse(value)


def test_a_pub_that_is_no_object_is_refused() -> None:
    start, end = BYTES.index(b'{"duo"'), BYTES.index(b',"seq"')
    with pytest.raises(errors.EntryInvalid, match="pub must be an object"):
        entry.parse(BYTES[:start] + b"[]" + BYTES[end:])


def test_the_keys_in_another_order_are_refused() -> None:
    seq = b'"seq":7,'
    moved = BYTES.replace(seq, b"").replace(b'{"commit"', b"{" + seq + b'"commit"')
    with pytest.raises(
        errors.EntryInvalid, match="entry 7 is not written in canonical"
    ):
        entry.parse(moved)


def test_more_than_8_kib_is_refused_before_it_is_read() -> None:
    with pytest.raises(errors.EntryInvalid, match="at most 8192 bytes, not 8193"):
        entry.parse(b" " * 8193)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seq": -1}, "seq must be within"),
        ({"seq": 2**53}, "seq must be within"),
        ({"prev": b"short"}, "32 bytes"),
        ({"commit": bytes(33)}, "32 bytes"),
        ({"time": datetime(2026, 1, 1)}, "UTC"),  # noqa: DTZ001 - the refused case
        ({"time": datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)}, "millisecond"),
        (
            {"time": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
            "UTC",
        ),
    ],
)
def test_an_entry_that_cannot_be_written_is_refused(
    make_entry: MakeEntry, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(errors.EntryInvalid, match=message):
        entry.encode(make_entry(**values))


def test_an_entry_outside_the_vocabulary_is_not_written(make_entry: MakeEntry) -> None:
    with pytest.raises(errors.EventTypeUnknown):
        entry.encode(make_entry(type="consent.sold"))
    with pytest.raises(errors.PubInvalid):
        entry.encode(make_entry(pub={"donor": "Ada"}))


def test_an_entry_never_outgrows_its_limit(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "MAX_BYTES", 100)
    with pytest.raises(errors.EntryInvalid, match="at most 100 bytes, not 3"):
        entry.encode(make_entry())
