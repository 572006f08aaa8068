"""What a person is told is plain, and cannot be made to deceive a terminal."""

from datetime import UTC, datetime

import pytest

from gemmule.verifier import words
from ledger.tlog import vocabulary
from ledger.tlog.canonical import JSON


def test_every_type_of_entry_has_a_meaning() -> None:
    assert words.MEANINGS.keys() == vocabulary.EVENT_TYPES.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, é and —", "plain text, é and —"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("one\ntwo\r", "one\\ntwo\\r"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udc80", "\\udc80"),
        ("\x9b", "\\x9b"),
    ],
)
def test_what_cannot_be_printed_is_written_out(text: str, expected: str) -> None:
    assert words.shown(text) == expected


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ({}, []),
        ({"valid_until": "2027-01-31"}, ["  valid until: 2027-01-31"]),
        ({"discovery": True, "sold": False}, ["  discovery: yes", "  sold: no"]),
        ({"number": 3, "previous": None}, ["  number: 3", "  previous: nothing"]),
        (
            {"terms": {"permission": "GRU", "modifiers": ["NPU", "US"]}, "more": {}},
            [
                "  terms:",
                "    permission: GRU",
                "    modifiers: NPU, US",
                "  more: nothing",
            ],
        ),
        (
            {"regions": [["17", 1, 2], ["X", 3, 4]], "genes": []},
            ["  regions: (17, 1, 2), (X, 3, 4)", "  genes: nothing"],
        ),
        (
            {"reviews": [{"by": "IRB", "of": [1]}]},
            ["  reviews: (by: IRB; of: (1))"],
        ),
        ({"note": "a\n  signed: yes"}, ["  note: a\\n  signed: yes"]),
        ({"a\x1b": "b"}, ["  a\\x1b: b"]),
    ],
)
def test_each_field_of_a_body_is_a_line(
    body: dict[str, JSON], lines: list[str]
) -> None:
    assert list(words.fields(body)) == lines


def test_a_moment_is_in_utc() -> None:
    second = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert words.moment(second) == "2026-03-02 09:30:00 UTC"
    exact = second.replace(microsecond=7000)
    assert words.moment(exact) == "2026-03-02 09:30:00.007 UTC"
    assert words.iso(exact) == "2026-03-02T09:30:00.007Z"
