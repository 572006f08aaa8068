"""The form that is shipped: it can be published, and people can read it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from consent import duo
from consent.errors import FormNotFound
from consent.forms import checking, definition, shipped
from consent.forms.answers import choices_from_answers
from consent.forms.sentences import plain_sentences
from consent.terms import Terms

FORM = definition.read(shipped.content())
PLAINEST: dict[str, Any] = {
    "research": "any",
    "companies": "yes",
    "place": "anywhere",
    "time": "open",
    "keep-back": "nothing",
    "discovery": "no",
}


def syllables(word: str) -> int:
    """Count groups of vowels, less a silent ending: the usual estimate."""
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouysxzcgh]es$", word):
        groups -= 1
    return max(groups, 1)


def reading_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade: 0.39 words/sentence + 11.8 syllables/word."""
    sentences = [one for one in re.split(r"[.!?:;]+(?:\s|$)", text) if one.strip()]
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", text)
    spoken = sum(syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * spoken / len(words) - 15.59


def paragraphs() -> Iterator[tuple[str, str]]:
    """Yield every longer text of the form with its place."""
    yield "key information", " ".join(FORM.key_information.paragraphs)
    yield "must stand", " ".join(FORM.must_stand.values())
    for section in FORM.details:
        yield section.id, " ".join(section.paragraphs)
    for check in FORM.comprehension:
        yield check.id, f"{check.text} {check.teach_back}"
    for question in FORM.questions:
        labels = ". ".join(f"{o.label}. {o.help}".strip() for o in question.options)
        yield question.id, f"{question.title} {question.help} {labels}."


def test_the_measure_of_reading_tells_plain_from_learned_words() -> None:
    assert reading_grade("The cat sat on the mat. It was warm.") < 1
    learned = (
        "Pseudonymisation notwithstanding, re-identification of participating "
        "individuals constitutes a residual confidentiality consideration."
    )
    assert reading_grade(learned) > 15


@pytest.mark.parametrize(("place", "text"), list(paragraphs()), ids=lambda v: v[:20])
def test_each_part_reads_at_grade_8_or_below(place: str, text: str) -> None:
    assert reading_grade(text) <= 8, place


def test_the_whole_form_reads_well_below_grade_8() -> None:
    assert reading_grade(" ".join(text for _, text in paragraphs())) <= 6


def test_the_key_information_fits_on_one_screen() -> None:
    words = " ".join(FORM.key_information.paragraphs).split()
    assert len(words) <= 250


def test_the_sentences_that_must_stand_are_there_and_where_donors_look() -> None:
    assert FORM.must_stand == {
        "seal": (
            "The seal shows that nobody changed this record. "
            "It cannot show how a researcher behaved."
        ),
        "relatives": "Your DNA also tells about your relatives.",
        "name": "Removing your name does not make it anonymous.",
    }
    key = " ".join(FORM.key_information.paragraphs)
    assert FORM.must_stand["relatives"] in key
    assert FORM.must_stand["name"] in key


def test_no_acronym_stands_without_its_words() -> None:
    text = " ".join(text for _, text in paragraphs())
    known = {"DNA", *(symbol for o in OPTIONS for symbol in o.genes), "PSEN1"}
    assert not set(re.findall(r"\b[A-Z]{2,}[0-9]*\b", text)) - known
    assert not any(re.search(rf"\b{code}\b", text) for code in duo.TERMS)


OPTIONS = [option for question in FORM.questions for option in question.options]


def test_nothing_is_kept_back_in_hidden_words() -> None:
    text = " ".join(text for _, text in paragraphs())
    assert "not handed over" in text
    assert "hidden" not in text.lower()


def test_every_answer_means_codes_that_the_policy_understands() -> None:
    assert checking.check(FORM) > 1_000


def test_no_companies_means_neither_their_hands_nor_their_profit() -> None:
    chosen = choices_from_answers(FORM, {**PLAINEST, "companies": "no"})
    assert chosen.terms == Terms(permission="GRU", modifiers={"NPUNCU": True})


def test_the_list_of_genes_doctors_act_on_is_complete() -> None:
    acmg = next(option for option in OPTIONS if option.value == "acmg")
    assert len(acmg.genes) == 84
    assert "84 genes" in acmg.help


def test_what_each_answer_means_can_be_said_in_plain_words() -> None:
    for option in OPTIONS:
        terms = Terms(
            permission=option.permission or "GRU",
            diseases=("MONDO:0007254",) if option.permission == "DS" else (),
            modifiers=option.modifiers,
        )
        said = plain_sentences(terms, {"genes": list(option.genes)}, False)
        expected = 2 + len(option.modifiers) + (3 if option.genes else 0)
        assert len(said) == expected, option.value


def test_the_sentences_of_the_review_page_read_at_grade_8_or_below() -> None:
    codes = dict.fromkeys(duo.MODIFIERS, True) | {"GS": ["SE"], "TS": 18}
    for permission in duo.PERMISSIONS:
        terms = Terms(
            permission=permission, diseases=("MONDO:0007254",), modifiers=codes
        )
        said = plain_sentences(terms, {"genes": ["APOE"], "mode": "missing"}, True)
        assert reading_grade(" ".join(said)) <= 8
        assert all(reading_grade(one) <= 12 for one in said)


def test_a_form_that_is_not_shipped_is_not_found() -> None:
    for parts in ({"language": "xx"}, {"name": "../duo"}, {"version": "9.9"}):
        with pytest.raises(FormNotFound):
            shipped.content(**parts)
