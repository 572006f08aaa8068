"""What a decision carries: versions, the last day, obligations and reasons."""

from datetime import date

from consent.policy import Purpose, Terms, Verdict, decide, without_consent
from tests.consent.judging import BREAST_CANCER, CANCER, DAY, DIABETES, decided


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
