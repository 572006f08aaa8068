"""Terms from forms are strict; terms from elsewhere are kept with their faults."""

from typing import Any

import pytest

from consent.errors import TermsInvalid
from consent.terms import Terms

GOOD: dict[str, Any] = {
    "permission": "DS",
    "diseases": ["MONDO:0004992"],
    "modifiers": {
        "GS": ["SE"],
        "IS": ["05a28rw58"],
        "MOR": "2027-01-01",
        "NPUNCU": True,
        "TS": 12,
    },
    "state": "active",
}


def test_terms_survive_the_round_trip() -> None:
    terms = Terms.from_json(GOOD)
    assert terms.to_json() == GOOD
    assert Terms.from_json(terms.to_json()) == terms


def test_what_is_null_or_false_is_not_chosen() -> None:
    terms = Terms.from_json(
        {"permission": "GRU", "modifiers": {"NPU": None, "CC": False, "IRB": True}}
    )
    assert terms.chosen() == {"IRB": True}
    assert terms.to_json()["modifiers"] == {"IRB": True}
    assert terms.state == "active"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"permission": None}, "expected one permission"),
        ({"permission": "ALL"}, "'ALL'"),
        ({"permission": 5}, "'permission' cannot be read"),
        ({"permission": "GRU"}, "diseases belong to the permission DS"),
        ({"diseases": []}, "needs at least one"),
        ({"diseases": "MONDO:0004992"}, "'diseases' cannot be read"),
        ({"state": "odd"}, "unknown consent state 'odd'"),
        ({"modifiers": []}, "'modifiers' cannot be read"),
        ({"modifiers": {"XYZ": None}}, "unknown modifier 'XYZ'"),
        ({"modifiers": {"NPU": "yes"}}, "NPU cannot be read: expected true"),
        ({"modifiers": {"GS": []}}, "GS cannot be read: expected a list of country"),
        ({"modifiers": {"US": ["the team"]}}, "US cannot be read"),
        ({"modifiers": {"TS": 0}}, "TS cannot be read"),
        ({"modifiers": {"TS": True}}, "TS cannot be read"),
        ({"modifiers": {"MOR": "soon"}}, "MOR cannot be read"),
        ({"colour": 1}, "no field 'colour'"),
    ],
)
def test_terms_that_no_donor_could_mean_are_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(TermsInvalid, match=message):
        Terms.from_json({**GOOD, **change})


def test_terms_that_are_no_object_are_refused() -> None:
    with pytest.raises(TermsInvalid, match="an object of named fields"):
        Terms.from_json("GRU")


def test_damaged_terms_are_kept_so_that_they_deny() -> None:
    terms = Terms.read({"permission": "GRU", "modifiers": {"TS": [[]]}, "state": 5})
    assert terms.permission == "GRU"
    assert [problem.code for problem in terms.problems] == ["terms:state"]
    assert terms.to_json()["modifiers"] == {"TS": [[]]}
