"""Each rule of the policy, case by case, and what a decision carries."""

from datetime import date
from typing import Any

import pytest

from consent.diseases import DiseaseGraph
from consent.policy import (
    Decision,
    Purpose,
    Terms,
    Verdict,
    decide,
    without_consent,
)

DAY = date(2026, 6, 1)
CANCER = "MONDO:0004992"
BREAST_CANCER = "MONDO:0007254"
DIABETES = "MONDO:0005148"
OBSOLETE_HEART = "MONDO:0000016"  # replaced by MONDO:0005010
HEART = "MONDO:0005010"
OBSOLETE_WITHOUT_REPLACEMENT = "MONDO:0000003"


def decided(purpose: dict[str, Any], **terms: Any) -> Decision:
    return decide(Purpose.read(purpose), Terms.read(terms), DAY)


def verdict(purpose: dict[str, Any], **terms: Any) -> str:
    return decided(purpose, **terms).verdict.value


def with_modifier(code: str, value: Any, **purpose: Any) -> str:
    return verdict(
        {"research_types": ["biomedical"], **purpose},
        permission="HMB",
        modifiers={code: value},
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
P, R, D = "permit", "review", "deny"


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


# --- what a decision carries ------------------------------------------------


def test_a_decision_names_the_versions_it_was_made_under() -> None:
    assert decided({}, permission="GRU").versions == {
        "rules": "1",
        "duo": "81f5c3d",
        "mondo": "2026-05-05",
    }


def test_the_time_limit_counts_from_the_projects_first_release() -> None:
    purpose = Purpose(research_types=("general",))
    terms = Terms(permission="GRU", modifiers={"TS": 12})
    assert decide(purpose, terms, DAY).expires == date(2027, 6, 1)
    start = date(2025, 8, 31)
    found = decide(purpose, terms, DAY, first_release=start)
    assert found.expires == date(2026, 8, 31)
    sooner = date(2026, 7, 1)
    found = decide(purpose, terms, DAY, first_release=start, asked_until=sooner)
    assert found.expires == sooner
    assert decide(purpose, terms, DAY, asked_until=date(2030, 1, 1)).expires == date(
        2027, 6, 1
    )


def test_a_time_limit_that_has_passed_denies() -> None:
    purpose = Purpose(research_types=("general",))
    terms = Terms(permission="GRU", modifiers={"TS": 12})
    start = date(2025, 6, 1)
    last_day = decide(purpose, terms, date(2026, 6, 1), first_release=start)
    assert last_day.verdict is Verdict.PERMIT
    after = decide(purpose, terms, date(2026, 6, 2), first_release=start)
    assert after.verdict is Verdict.DENY
    assert after.expires is None
    assert after.obligations == ()


def test_a_month_that_is_shorter_ends_the_limit_on_its_last_day() -> None:
    terms = Terms(permission="GRU", modifiers={"TS": 1})
    purpose = Purpose(research_types=("general",))
    assert decide(purpose, terms, date(2026, 1, 31)).expires == date(2026, 2, 28)


def test_a_reviewed_purpose_keeps_its_obligations_and_a_denied_one_has_none() -> None:
    asked = {"research_types": ["controls"], "agrees_to": ["RTN", "PUB"]}
    given = {"permission": "HMB", "modifiers": {"RTN": True, "PUB": True, "TS": 6}}
    found = decided(asked, **given)
    assert found.verdict is Verdict.REVIEW
    assert [item.code for item in found.obligations] == ["PUB", "RTN", "TS"]
    denied = decided({**asked, "research_types": ["ancestry"]}, **given)
    assert (denied.verdict, denied.obligations) == (Verdict.DENY, ())


def test_every_clause_has_its_own_code_and_a_reason_and_goes_to_json() -> None:
    found = decided(
        {"research_types": ["methods", "ancestry"], "diseases": [BREAST_CANCER]},
        permission="DS",
        diseases=[CANCER],
        modifiers={"NMDS": "yes", "NPOA": True, "GSO": True, "TS": 6},
    )
    codes = [clause.code for clause in found.clauses]
    assert len(set(codes)) == len(codes)
    assert all(clause.reason for clause in found.clauses)
    written = found.to_json()
    assert written["verdict"] == "deny"
    assert written["expires"] is None
    assert {"code", "verdict", "reason"} == set(written["clauses"][0])
    assert written["versions"]["rules"] == "1"
    permitted = decided({"research_types": ["general"]}, permission="GRU").to_json()
    assert permitted["expires"] is None
    limited = decided(
        {"research_types": ["general"]}, permission="GRU", modifiers={"TS": 6}
    ).to_json()
    assert limited["expires"] == "2026-12-01"


def test_two_findings_on_one_condition_are_one_clause_the_strictest() -> None:
    # Unreadable, and against the purpose besides: both deny, one clause stands.
    for types in (["ancestry"], ["general"]):
        found = decided(
            {"research_types": types}, permission="GRU", modifiers={"NPOA": "yes"}
        )
        clauses = [clause for clause in found.clauses if clause.code == "NPOA"]
        assert [clause.verdict for clause in clauses] == [Verdict.DENY]


def test_a_donor_without_a_consent_is_denied() -> None:
    found = without_consent()
    assert found.verdict is Verdict.DENY
    assert [clause.code for clause in found.clauses] == ["consent"]


def test_reasons_do_not_tell_what_one_donor_listed() -> None:
    found = decided(
        {"diseases": [DIABETES], "countries": ["US"], "project": "p9"},
        permission="DS",
        diseases=[CANCER],
        modifiers={"GS": ["SE"], "PS": ["p1"], "TS": 7},
    )
    text = " ".join(f"{clause.code} {clause.reason}" for clause in found.clauses)
    for told in (CANCER, "cancer", "SE", "p1", "7 "):
        assert told not in text.replace("SEnsitive", "")


# --- two releases of the ontology -------------------------------------------

SIGNED = DiseaseGraph(
    version="old",
    rows=[
        "A\tall\t\t\t\t",
        "B\tnarrow\tA\t\t\t",
        "C\tmoved\tB\t\t\t",
        "X\told name\tA\t\t\t",
        "Y\tchild\tX\t\t\t",
    ],
)
CURRENT = DiseaseGraph(
    version="new",
    rows=[
        "A\tall\t\t\t\t",
        "B\tnarrow\tA\t\t\t",
        "C\tmoved\tA\t\t\t",
        "N\tnew below B\tB\t\t\t",
        "X\tobsolete old name\t\t1\tY\t",
        "Y\tchild\tA\t\t\t",
        "Z\tobsolete, broader now\t\t1\tA\t",
    ],
)
SIGNED_WITH_Z = DiseaseGraph(
    version="old", rows=["A\tall\t\t\t\t", "B\tnarrow\tA\t\t\t", "Z\tz\tB\t\t\t"]
)


def matched(asked: str, chosen: str, signed: DiseaseGraph = SIGNED) -> str:
    return decide(
        Purpose(diseases=(asked,)),
        Terms(permission="DS", diseases=(chosen,)),
        DAY,
        graph=CURRENT,
        signed_graph=signed,
    ).verdict.value


def test_a_match_must_hold_under_both_releases() -> None:
    assert matched("B", "A") == "permit"
    assert matched("C", "B") == "review"  # was below B, no longer is
    assert matched("N", "B") == "review"  # is below B, was not there
    assert matched("A", "B") == "deny"


def test_an_obsolete_choice_is_carried_over_only_where_it_was_as_broad() -> None:
    assert matched("Y", "X") == "permit"  # Y lay below X when X was chosen
    # Z was replaced by something broader: never simply permitted.
    assert matched("Z", "Z", SIGNED_WITH_Z) == "review"
    assert matched("A", "Z", SIGNED_WITH_Z) == "review"
