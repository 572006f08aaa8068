"""Each rule of the policy, case by case, but for the modifiers."""

from typing import Any

import pytest

from consent.policy import Verdict
from tests.consent.judging import (
    BREAST_CANCER,
    CANCER,
    DIABETES,
    HEART,
    OBSOLETE_HEART,
    OBSOLETE_WITHOUT_REPLACEMENT,
    D,
    P,
    R,
    decided,
    verdict,
    with_modifier,
)

# --- rule 0 -----------------------------------------------------------------


@pytest.mark.parametrize("permission", ["NRES", "GRU", "HMB", "DS", "POA"])
@pytest.mark.parametrize("flag", ["reidentification", "barred_country", "a new one"])
def test_a_prohibited_use_is_denied_whatever_the_permission(
    permission: str, flag: str
) -> None:
    purpose = {"research_types": ["ancestry"], "prohibited": [flag]}
    found = decided(purpose, permission=permission, modifiers={"CC": True})
    assert found.verdict is Verdict.DENY
    assert f"prohibited:{flag}" in {clause.code for clause in found.clauses}


@pytest.mark.parametrize("value", [True, "contact", {"contact": True}, [1]])
def test_prohibited_flags_that_cannot_be_read_deny(value: Any) -> None:
    purpose = {"research_types": ["general"], "prohibited": value}
    assert verdict(purpose, permission="GRU") == "deny"


# --- rule 1 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("active", "permit"),
        ("paused", "deny"),
        ("withdrawn", "deny"),
        ("expired", "deny"),
        ("refused", "deny"),
        ("superseded", "deny"),
        ("erased", "deny"),
        ("", "deny"),
        (True, "deny"),
    ],
)
def test_only_an_active_consent_permits(state: Any, expected: str) -> None:
    assert verdict({"research_types": ["general"]}, permission="GRU", state=state) == (
        expected
    )


@pytest.mark.parametrize("permission", [None, "", "gru", "NPU", 1, ["GRU"], True])
def test_no_permission_and_an_unknown_one_deny(permission: Any) -> None:
    assert verdict({"research_types": ["general"]}, permission=permission) == "deny"


@pytest.mark.parametrize("value", [True, None, False, ["x"]])
def test_an_unknown_modifier_denies_whatever_its_value(value: Any) -> None:
    assert with_modifier("XYZ", value) == "deny"


def test_terms_without_a_permission_key_deny() -> None:
    assert verdict({"research_types": ["general"]}) == "deny"


@pytest.mark.parametrize("types", [["cooking"], ["general", "cooking"], ["General"]])
def test_a_research_type_not_named_denies(types: list[str]) -> None:
    assert verdict({"research_types": types}, permission="NRES") == "deny"


@pytest.mark.parametrize("permission", ["NRES", "GRU", "HMB"])
def test_an_unknown_disease_denies_under_every_permission(permission: str) -> None:
    for disease in ("MONDO:9999999", "DOID:1612", OBSOLETE_WITHOUT_REPLACEMENT):
        assert verdict({"diseases": [disease]}, permission=permission) == "deny"


def test_an_unknown_disease_of_the_consent_denies_even_beside_a_match() -> None:
    assert (
        verdict(
            {"diseases": [CANCER]},
            permission="DS",
            diseases=[CANCER, "MONDO:9999999"],
        )
        == "deny"
    )


def test_a_disease_specific_consent_that_names_none_denies() -> None:
    for purpose in ({"diseases": [CANCER]}, {"research_types": ["methods"]}):
        assert verdict(purpose, permission="DS") == "deny"


def test_an_obsolete_id_in_a_purpose_counts_as_its_replacement() -> None:
    purpose = {"diseases": [OBSOLETE_HEART]}
    assert verdict(purpose, permission="DS", diseases=[HEART]) == "permit"
    assert verdict(purpose, permission="DS", diseases=[CANCER]) == "deny"


def test_an_obsolete_id_in_a_consent_needs_a_person() -> None:
    for asked in (HEART, OBSOLETE_HEART):
        assert (
            verdict({"diseases": [asked]}, permission="DS", diseases=[OBSOLETE_HEART])
            == "review"
        )


def test_an_obsolete_id_without_replacement_in_a_consent_needs_a_person() -> None:
    gone: dict[str, Any] = {
        "permission": "DS",
        "diseases": [OBSOLETE_WITHOUT_REPLACEMENT],
    }
    assert verdict({"diseases": [HEART]}, **gone) == "review"


def test_an_obsolete_id_in_a_consent_hides_no_match_with_another_term() -> None:
    assert (
        verdict(
            {"diseases": [BREAST_CANCER]},
            permission="DS",
            diseases=[CANCER, OBSOLETE_HEART],
        )
        == "permit"
    )


@pytest.mark.parametrize("key", ["frobnicate", "research_type", "Diseases", ""])
def test_an_unknown_key_denies(key: str) -> None:
    assert verdict({"research_types": ["general"], key: 1}, permission="GRU") == "deny"
    assert (
        verdict({"research_types": ["general"]}, permission="GRU", **{key: 1}) == "deny"
    )


# --- rule 2 -----------------------------------------------------------------

TYPES = ("general", "biomedical", "disease", "ancestry", "methods", "controls")


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("NRES", (P, P, R, P, P, P)),
        ("GRU", (P, P, R, P, P, P)),
        ("HMB", (D, P, R, D, P, R)),
        ("DS", (D, D, D, D, R, D)),
        ("POA", (D, D, D, P, D, D)),
    ],
)
def test_each_type_alone_under_each_permission(
    permission: str, expected: tuple[str, ...]
) -> None:
    diseases = [CANCER] if permission == "DS" else []
    found = tuple(
        verdict({"research_types": [name]}, permission=permission, diseases=diseases)
        for name in TYPES
    )
    assert found == expected


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([], P),
        (["disease"], P),
        (["biomedical"], P),
        (["methods"], P),
        (["controls"], R),
        (["methods", "controls"], R),
        (["general"], D),
        (["ancestry"], D),
        (["clinical"], D),
    ],
)
def test_each_type_beside_a_disease_the_donor_chose(
    types: list[str], expected: str
) -> None:
    purpose = {"research_types": types, "diseases": [BREAST_CANCER]}
    assert verdict(purpose, permission="DS", diseases=[CANCER]) == expected


@pytest.mark.parametrize("types", [[], ["biomedical"], ["methods"], ["controls"]])
def test_one_disease_outside_denies_the_whole_purpose(types: list[str]) -> None:
    purpose = {"research_types": types, "diseases": [BREAST_CANCER, DIABETES]}
    assert verdict(purpose, permission="DS", diseases=[CANCER]) == "deny"


@pytest.mark.parametrize("types", [["biomedical"], ["controls"], ["methods"]])
def test_types_beside_a_doubtful_disease_need_a_person(types: list[str]) -> None:
    purpose = {"research_types": types, "diseases": [HEART]}
    found = verdict(purpose, permission="DS", diseases=[OBSOLETE_HEART])
    assert found == "review"


@pytest.mark.parametrize("permission", ["NRES", "GRU", "HMB", "DS", "POA"])
@pytest.mark.parametrize("purpose", [{}, {"research_types": None, "diseases": []}])
def test_a_purpose_without_type_and_disease_needs_a_person(
    permission: str, purpose: dict[str, Any]
) -> None:
    diseases = [CANCER] if permission == "DS" else []
    assert verdict(purpose, permission=permission, diseases=diseases) == "review"


@pytest.mark.parametrize(
    ("permission", "with_disease", "expected"),
    [
        ("NRES", False, P),
        ("GRU", False, P),
        ("HMB", False, P),
        ("DS", False, D),
        ("DS", True, P),
        ("POA", False, D),
    ],
)
def test_clinical_use_needs_the_donor_to_allow_care(
    permission: str, with_disease: bool, expected: str
) -> None:
    purpose: dict[str, Any] = {"research_types": ["clinical"]}
    if with_disease:
        purpose["diseases"] = [BREAST_CANCER]
    diseases = [CANCER] if permission == "DS" else []
    given: dict[str, Any] = {"permission": permission, "diseases": diseases}
    assert verdict(purpose, **given, modifiers={"CC": True}) == expected
    not_true: list[Any] = [None, False, 1, "true", {}]
    for value in not_true:
        assert verdict(purpose, **given, modifiers={"CC": value}) == "deny"


def test_care_for_a_doubtful_disease_needs_a_person() -> None:
    purpose = {"research_types": ["clinical"], "diseases": [HEART]}
    assert (
        verdict(
            purpose,
            permission="DS",
            diseases=[OBSOLETE_HEART],
            modifiers={"CC": True},
        )
        == "review"
    )


# --- rule 5 -----------------------------------------------------------------


@pytest.mark.parametrize(
    "flag",
    [
        "stigmatising",
        "mental_health",
        "mental-health",
        "sexual_traits",
        "vulnerable groups",
        "children",
        "reproductive-selection",
        "generative_models",
    ],
)
def test_a_sensitive_use_needs_a_person(flag: str) -> None:
    purpose = {"research_types": ["general"], "sensitive": [flag]}
    assert verdict(purpose, permission="NRES") == "review"
    denied = {"research_types": ["ancestry"], "sensitive": [flag]}
    assert verdict(denied, permission="HMB") == "deny"


@pytest.mark.parametrize("value", [["something else"], "stigmatising", [None], True])
def test_an_unknown_sensitive_use_denies(value: Any) -> None:
    purpose = {"research_types": ["general"], "sensitive": value}
    assert verdict(purpose, permission="NRES") == "deny"
