"""Answers become choices, or an error that names the question."""

from typing import Any

import pytest

from consent.errors import AnswersInvalid
from consent.forms import definition, shipped
from consent.forms.answers import (
    asked,
    choices_from_answers,
    terms_from_answers,
    wrong_answers,
)
from consent.terms import Terms

FORM = definition.read(shipped.content())
PLAIN: dict[str, Any] = {
    "research": "health",
    "companies": "yes",
    "place": "anywhere",
    "time": "open",
    "keep-back": "nothing",
    "discovery": "no",
}


def test_the_plainest_answers() -> None:
    found = choices_from_answers(FORM, PLAIN)
    assert found.terms == Terms(permission="HMB")
    assert found.withheld == {}
    assert found.discovery is False


def test_all_conditions_add_up() -> None:
    answers = {
        **PLAIN,
        "research": "any",
        "companies": "no",
        "conditions": ["publish", "ethics", "return", "no-methods", "no-ancestry"],
        "place": "countries",
        "countries": ["SE", "FI", "SE"],
        "time": "five-years",
    }
    assert terms_from_answers(FORM, answers) == Terms(
        permission="GRU",
        modifiers={
            "NPUNCU": True,
            "PUB": True,
            "IRB": True,
            "RTN": True,
            "NMDS": True,
            "NPOA": True,
            "GS": ["FI", "SE"],
            "TS": 60,
        },
    )


def test_an_answer_to_a_question_that_is_not_asked_has_no_say() -> None:
    left_over = {
        **PLAIN,
        "diseases": ["MONDO:0007254"],
        "countries": ["SE"],
        "presets": ["brca"],
        "genes": ["APOE"],
        "conditions": ["no-ancestry"],
    }
    assert choices_from_answers(FORM, left_over) == choices_from_answers(FORM, PLAIN)


def test_only_what_is_asked_is_required() -> None:
    assert "diseases" not in {q.id for q in asked(FORM, PLAIN)}
    assert "diseases" in {q.id for q in asked(FORM, {"research": "diseases"})}


def test_a_place_that_need_not_be_named_limits_nothing() -> None:
    content = shipped.content()
    place = next(q for q in content["questions"] if q["id"] == "countries")
    place["required"] = False
    form = definition.read(content)
    found = terms_from_answers(form, {**PLAIN, "place": "countries"})
    assert found == Terms(permission="HMB")


def test_genes_come_from_groups_and_from_the_donor() -> None:
    answers = {
        **PLAIN,
        "keep-back": "some",
        "presets": ["brca", "apoe"],
        "genes": ["PSEN1", "BRCA1"],
        "instead": "leave-me-out",
        "discovery": "yes",
    }
    found = choices_from_answers(FORM, answers)
    assert found.withheld["genes"] == ["APOE", "BRCA1", "BRCA2", "PSEN1"]
    assert found.withheld["mode"] == "exclude-sample"
    assert found.discovery is True


@pytest.mark.parametrize(
    ("change", "question", "message"),
    [
        ({"research": None}, "research", "not answered yet"),
        ({"research": ""}, "research", "not answered yet"),
        ({"research": "all"}, "research", "'all' is not an answer"),
        ({"research": ["any", "health"]}, "research", "choose one answer"),
        ({"research": "diseases"}, "diseases", "Which illnesses"),
        ({"research": "diseases", "diseases": ["X"]}, "diseases", "'X' is not a"),
        (
            {"research": "diseases", "diseases": ["MONDO:0000016"]},
            "diseases",
            "not a disease that can be chosen",
        ),
        ({"place": "countries"}, "countries", "Which countries"),
        ({"place": "countries", "countries": ["Sweden"]}, "countries", "ISO 3166"),
        ({"conditions": ["publish", "odd"]}, "conditions", "'odd'"),
        ({"conditions": [""]}, "conditions", "is a text"),
        ({"keep-back": "some", "instead": "missing"}, "keep-back", "at least one gene"),
        ({"discovery": None}, "discovery", "not answered yet"),
        ({"colour": "red"}, None, "no question 'colour'"),
        (
            {"keep-back": "some", "instead": "missing", "genes": ["BRCA 1"]},
            None,
            "not a gene symbol",
        ),
    ],
)
def test_what_is_missing_or_unknown_is_named(
    change: dict[str, Any], question: str | None, message: str
) -> None:
    answers = {k: v for k, v in {**PLAIN, **change}.items() if v is not None}
    with pytest.raises(AnswersInvalid, match=message) as refused:
        choices_from_answers(FORM, answers)
    assert refused.value.question == question


def test_wrong_answers_are_explained_and_tries_are_unlimited() -> None:
    right = {check.id: check.correct for check in FORM.comprehension}
    assert wrong_answers(FORM, right) == {}
    assert set(wrong_answers(FORM, {})) == set(right)
    again = wrong_answers(FORM, {**right, "name": "never"})
    assert list(again) == ["name"]
    assert "does not make it anonymous" in again["name"]
