"""Purposes from outside: strict for forms, never lost for decisions."""

from typing import Any

import pytest

from consent.errors import PurposeInvalid
from consent.purpose import Purpose

FULL: dict[str, Any] = {
    "research_types": ["biomedical", "disease"],
    "diseases": ["MONDO:0004992"],
    "organisation": "non-profit",
    "commercial": False,
    "countries": ["FI", "SE"],
    "institution": "https://ror.org/056d84691",
    "project": "GMP000001",
    "users": ["0000-0002-1825-0097"],
    "ethics_approval": "verified",
    "collaboration_letter": True,
    "agrees_to": ["MOR", "PUB"],
    "uses_genetic_data": True,
    "sensitive": ["children"],
    "prohibited": [],
}


def test_a_full_purpose_survives_the_round_trip() -> None:
    purpose = Purpose.from_json(FULL)
    assert Purpose.from_json(purpose.to_json()) == purpose
    assert purpose.to_json() == {k: v for k, v in FULL.items() if v != []}


def test_lists_are_sorted_and_hold_each_value_once() -> None:
    purpose = Purpose.from_json({"countries": ["se", "FI", "SE "]})
    assert purpose.countries == ("FI", "SE")


def test_an_empty_purpose_is_one_without_anything_stated() -> None:
    assert Purpose.from_json({}) == Purpose()
    assert Purpose().to_json() == {"uses_genetic_data": True}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "an object of named fields"),
        ([], "an object of named fields"),
        ({"colour": "red"}, "no field 'colour'"),
        ({"problems": []}, "no field 'problems'"),
        ({"research_types": "general"}, "'research_types' cannot be read"),
        ({"research_types": ["cooking"]}, "'cooking' is not a research type"),
        ({"sensitive": ["odd"]}, "'odd' is not a sensitive use"),
        ({"prohibited": ["odd"]}, "'odd' is not a prohibited use"),
        ({"organisation": "charity"}, "non-profit or for-profit"),
        ({"organisation": ["non-profit"]}, "non-profit or for-profit"),
        ({"commercial": "no"}, "true or false"),
        ({"countries": ["SE", 1]}, "country codes"),
        ({"sensitive": [1]}, "a list of flags"),
        ({"agrees_to": ["COL"]}, "PUB, MOR, RTN"),
        ({"institution": " "}, "a text"),
        ({"project": 7}, "a text"),
    ],
)
def test_what_does_not_follow_the_schema_is_refused(data: Any, message: str) -> None:
    with pytest.raises(PurposeInvalid, match=message):
        Purpose.from_json(data)


def test_a_message_never_carries_more_than_a_little_of_the_input() -> None:
    with pytest.raises(PurposeInvalid) as refused:
        Purpose.from_json({"x" * 10_000: 1})
    assert len(str(refused.value)) < 200
    assert all(len(p.code) < 60 for p in Purpose.read({"x" * 999: 1}).problems)
