"""What each modifier of a donor's permission asks of a purpose, case by case."""

from typing import Any

import pytest

from tests.consent.judging import (
    BREAST_CANCER,
    CANCER,
    DIABETES,
    D,
    P,
    R,
    decided,
    verdict,
    with_modifier,
)

# --- rule 3 -----------------------------------------------------------------


def test_no_methods_research() -> None:
    limited = {"modifiers": {"NMDS": True}}
    methods = {"research_types": ["methods"]}
    about_cancer = {**methods, "diseases": [BREAST_CANCER]}
    for permission in ("NRES", "GRU", "HMB"):
        assert verdict(methods, permission=permission, **limited) == "deny"
        assert verdict(about_cancer, permission=permission, **limited) == "deny"
        other = {"research_types": ["biomedical"]}
        assert verdict(other, permission=permission, **limited) == "permit"
    chosen = {"permission": "DS", "diseases": [CANCER], **limited}
    assert verdict(methods, **chosen) == "deny"
    assert verdict(about_cancer, **chosen) == "review"
    assert verdict({**methods, "diseases": [DIABETES]}, **chosen) == "deny"
    assert verdict({"diseases": [CANCER]}, **chosen) == "permit"


@pytest.mark.parametrize("permission", ["NRES", "GRU", "POA"])
def test_no_ancestry_denies_ancestry_alone(permission: str) -> None:
    limited = {"permission": permission, "modifiers": {"NPOA": True}}
    assert verdict({"research_types": ["ancestry"]}, **limited) == "deny"
    if permission != "POA":
        assert verdict({"research_types": ["general"]}, **limited) == "permit"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, P), (False, D), (None, P), ("yes", D), (1, D)],
)
def test_genetic_studies_only(value: Any, expected: str) -> None:
    assert with_modifier("GSO", True, uses_genetic_data=value) == expected


# --- rule 4 -----------------------------------------------------------------


@pytest.mark.parametrize("commercial", [True, False, None])
def test_non_profit_organisations_only(commercial: bool | None) -> None:
    for organisation, expected in (("non-profit", P), ("for-profit", D), (None, R)):
        found = with_modifier(
            "NPU", True, organisation=organisation, commercial=commercial
        )
        assert found == expected


@pytest.mark.parametrize("organisation", ["non-profit", "for-profit", None])
def test_non_commercial_use_only(organisation: str | None) -> None:
    for commercial, expected in ((False, P), (True, D), (None, R)):
        found = with_modifier(
            "NCU", True, organisation=organisation, commercial=commercial
        )
        assert found == expected


@pytest.mark.parametrize(
    ("organisation", "commercial", "expected"),
    [
        ("non-profit", False, P),
        ("non-profit", True, D),
        ("non-profit", None, R),
        ("for-profit", False, D),
        ("for-profit", True, D),
        ("for-profit", None, D),
        (None, False, R),
        (None, True, D),
        (None, None, R),
    ],
)
def test_no_companies_tests_both(
    organisation: str | None, commercial: bool | None, expected: str
) -> None:
    found = with_modifier(
        "NPUNCU", True, organisation=organisation, commercial=commercial
    )
    assert found == expected


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        ("verified", P),
        ("unverified", R),
        ("exempt", R),
        ("expired", D),
        (None, D),
        ("pending", D),
    ],
)
def test_ethics_approval(approval: str | None, expected: str) -> None:
    assert with_modifier("IRB", True, ethics_approval=approval) == expected


@pytest.mark.parametrize(
    ("letter", "expected"), [(True, P), (False, D), (None, D), ("yes", D), (1, D)]
)
def test_collaboration(letter: Any, expected: str) -> None:
    assert with_modifier("COL", True, collaboration_letter=letter) == expected


@pytest.mark.parametrize(
    ("allowed", "countries", "expected"),
    [
        (["SE", "FI"], ["SE"], P),
        (["se", " FI"], ["SE", "fi "], P),
        (["SE"], ["SE", "US"], D),
        (["SE"], [], R),
        (["SE"], None, R),
        ([], ["SE"], D),
        ([], None, R),
        ("US", ["U"], R),
        ("US", ["US"], R),
        (True, ["US"], R),
        (["US", 5], ["US"], R),
        (["US"], "US", D),
        (["US"], ["US", None], D),
    ],
)
def test_geographical_restriction(allowed: Any, countries: Any, expected: str) -> None:
    assert with_modifier("GS", allowed, countries=countries) == expected


@pytest.mark.parametrize(
    ("agreed", "value", "expected", "obligations"),
    [
        (["MOR"], "2027-01-31", P, [{"code": "MOR", "not_before": "2027-01-31"}]),
        (["MOR"], "2020-01-31", P, [{"code": "MOR", "not_before": "2020-01-31"}]),
        (["MOR"], True, R, []),
        (["MOR"], "soon", R, []),
        (["MOR"], "2027-02-30", R, []),
        (["MOR"], "20270131", R, []),
        (["PUB"], "2027-01-31", D, []),
        (None, True, D, []),
    ],
)
def test_moratorium(
    agreed: Any, value: Any, expected: str, obligations: list[Any]
) -> None:
    found = decided(
        {"research_types": ["general"], "agrees_to": agreed},
        permission="GRU",
        modifiers={"MOR": value},
    )
    assert found.verdict.value == expected
    assert [item.to_json() for item in found.obligations] == obligations


@pytest.mark.parametrize("code", ["PUB", "RTN"])
def test_promises_are_agreed_or_denied(code: str) -> None:
    assert with_modifier(code, True, agrees_to=[code]) == "permit"
    for agreed in (None, [], ["MOR"], code, ["COL", code]):
        assert with_modifier(code, True, agrees_to=agreed) == "deny"


@pytest.mark.parametrize(
    ("months", "expected"),
    [(1, P), (10**9, P), (0, D), (-1, D), (True, R), ("12", R), (12.5, R), ([], R)],
)
def test_time_limit(months: Any, expected: str) -> None:
    assert with_modifier("TS", months) == expected


@pytest.mark.parametrize(
    ("code", "key", "wrap"),
    [("US", "users", True), ("PS", "project", False), ("IS", "institution", False)],
)
def test_membership(code: str, key: str, wrap: bool) -> None:
    def asked(allowed: Any, value: Any) -> str:
        return with_modifier(code, allowed, **{key: [value] if wrap else value})

    assert asked(["x1", "x2"], "x2") == "permit"
    assert asked(["x1"], "x9") == "deny"
    assert asked(["https://ror.org/05a28rw58"], "05a28rw58") == "permit"
    for unusable in ([], "x1", True, ["the lung group"], [1], ["x1", "the group"]):
        assert asked(unusable, "x1") == "review"
    assert with_modifier(code, ["x1"]) == "review"


def test_every_user_must_be_a_member() -> None:
    assert with_modifier("US", ["u1", "u2"], users=["u2", "u1"]) == "permit"
    assert with_modifier("US", ["u1", "u2"], users=["u1", "u3"]) == "deny"
    assert with_modifier("US", ["u1"], users=[]) == "review"


@pytest.mark.parametrize("value", [True, "only trials", ["x"]])
def test_a_restriction_in_words_needs_a_person(value: Any) -> None:
    assert with_modifier("RS", value) == "review"


PLAIN = ("NMDS", "GSO", "NPUNCU", "NPU", "NCU", "PUB", "COL", "IRB", "RTN", "CC")
EASY = {
    "organisation": "non-profit",
    "commercial": False,
    "agrees_to": ["PUB", "RTN"],
    "collaboration_letter": True,
    "ethics_approval": "verified",
}


@pytest.mark.parametrize("code", PLAIN)
@pytest.mark.parametrize("value", ["true", 1, [], {"a": 1}])
def test_a_modifier_that_is_not_simply_true_denies(code: str, value: Any) -> None:
    assert with_modifier(code, True, **EASY) == "permit"
    assert with_modifier(code, value, **EASY) == "deny"


@pytest.mark.parametrize("modifiers", [["NPU"], "NPU", 1, True])
def test_modifiers_that_are_no_object_deny(modifiers: Any) -> None:
    purpose = {"research_types": ["general"]}
    assert verdict(purpose, permission="GRU", modifiers=modifiers) == "deny"
