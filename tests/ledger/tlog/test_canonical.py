"""One value, one sequence of bytes."""

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
    | TEXT
)
PLAIN_KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


def objects(keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=8,
    )
    return st.dictionaries(keys, values, max_size=4)


@given(objects(PLAIN_KEYS))
def test_plain_objects_are_written_as_the_rfc_8785_library_writes_them(
    value: dict[str, Any],
) -> None:
    assert canonical.write_plain(value) == rfc8785.dumps(value)


@given(objects(TEXT))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    assert canonical.read(canonical.write(value)) == value


@given(st.binary(max_size=40))
def test_garbage_raises_value_error_only(data: bytes) -> None:
    try:
        canonical.read(data)
    except ValueError:
        pass  # The one way to refuse.


@pytest.mark.parametrize(
    "text",
    [
        "1.0",
        "1e3",
        "-0.5",
        "NaN",
        "-Infinity",
        '{"a":1,"a":1}',
        '{"a":{"b":1,"b":2}}',
        "[" * 100_000,
        "",
        "{} {}",
        '"\xff',
    ],
)
def test_json_outside_the_profile_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical.read(text.encode("latin-1"))


class Colour(StrEnum):
    RED = "red"

    def __str__(self) -> str:
        return "a colour"


def test_mappings_sequences_and_enums_become_what_they_stand_for() -> None:
    value: Any = {"b": (1, Colour.RED), "a": {Colour.RED: None}}
    assert canonical.write(value) == b'{"a":{"red":null},"b":[1,"red"]}'


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.5},
        {"a": [float("nan")]},
        {1: "a"},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": canonical.MAX_INTEGER + 1},
        {"a": "\ud800"},
        {"\ud800": 1},
    ],
)
def test_values_without_canonical_bytes_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical.write(value)


def test_endless_nesting_is_refused() -> None:
    value: dict[str, Any] = {}
    value["a"] = value
    with pytest.raises(ValueError, match="nested too deeply"):
        canonical.write(value)


@given(st.binary(max_size=40))
def test_base64_round_trip(data: bytes) -> None:
    assert canonical.decode_base64(canonical.encode_base64(data)) == data


@pytest.mark.parametrize("text", ["AB==", "AA=", "AA", "A A=", "AA==\n", "-_8=", "é"])
def test_other_writings_of_base64_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical.decode_base64(text)
