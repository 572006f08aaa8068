"""Check a form before it is published: every answer means codes that are understood.

All combinations of answers that the pages allow are turned into terms and run
through the policy: none may give terms that the policy does not understand, and none
may fail to become terms.
"""

import itertools
from collections.abc import Iterator
from datetime import date
from functools import cache

from consent import diseases, duo, withheld
from consent.errors import AnswersInvalid, FormInvalid, WithheldInvalid
from consent.forms import answers as given
from consent.forms.definition import Condition, Form, Option, Question
from consent.policy import Purpose, decide
from consent.reading import shown

# Far more than a person could mean; beyond it the check would take minutes.
MAX_COMBINATIONS = 20_000
# Stand for what a donor would pick from a list.
_SAMPLES = {"countries": "SE", "genes": "BRCA1"}
# A clause about terms that were not understood, as against a plain refusal.
_NOT_UNDERSTOOD = ("modifier:", "terms", "permission")
# Any day will do: no answer of a form depends on one.
_DAY = date(2026, 1, 1)


def check(form: Form) -> int:
    """Raise FormInvalid at the first fault; return how many combinations hold."""
    _check_options(form)
    weighty = _weighty(form)
    rest = [question for question in form.questions if question not in weighty]
    number = 0
    # What is kept back and discovery say nothing about the terms, so the two groups
    # are gone through one after the other and not multiplied.
    for combination in itertools.chain(_combinations(weighty), _combinations(rest)):
        number += 1
        if number > MAX_COMBINATIONS:
            raise FormInvalid(
                f"the form has more than {MAX_COMBINATIONS:,} combinations of answers"
            )
        _check_combination(form, combination)
    return number


def _check_combination(form: Form, combination: dict[str, list[str]]) -> None:
    answers: dict[str, str | list[str]] = {}
    for question in form.questions:
        if question.id in combination:
            values = combination[question.id]
            answers[question.id] = values[0] if question.kind == "one" else values
        elif question.required:
            answers[question.id] = _any_answer(question)
    where = ", ".join(f"{key}={value}" for key, value in sorted(answers.items()))
    try:
        terms = given.terms_from_answers(form, answers)
    except AnswersInvalid as error:
        raise FormInvalid(f"the answers {where} give no terms: {error}") from error
    decision = decide(Purpose(research_types=("general",)), terms, _DAY)
    for clause in decision.clauses:
        if clause.code.startswith(_NOT_UNDERSTOOD):
            raise FormInvalid(
                f"the answers {where} are not understood: {clause.reason}"
            )


def _check_options(form: Form) -> None:
    before: dict[str, Question] = {}
    for question in form.questions:
        _check_condition(question.only_if, before, question)
        if question.kind == "countries" and question.modifier != "GS":
            raise FormInvalid(f"question {question.id}: countries limit GS alone")
        for option in question.options:
            _check_condition(option.only_if, before, question)
            _check_option(option, question)
        before[question.id] = question


def _check_condition(
    condition: Condition, before: dict[str, Question], question: Question
) -> None:
    for name, values in condition.items():
        earlier = before.get(name)
        if earlier is None:
            raise FormInvalid(
                f"question {question.id} depends on {shown(name)}, "
                "which is not asked before it"
            )
        if unknown := set(values) - {option.value for option in earlier.options}:
            raise FormInvalid(
                f"question {question.id} depends on the answer "
                f"{shown(sorted(unknown)[0])}, which {name} does not offer"
            )


def _check_option(option: Option, question: Question) -> None:
    where = f"question {question.id}, answer {option.value}"
    if option.permission is not None and option.permission not in duo.PERMISSIONS:
        raise FormInvalid(f"{where}: unknown permission {shown(option.permission)}")
    for code in option.modifiers:
        if code not in duo.MODIFIERS:
            raise FormInvalid(f"{where}: unknown modifier {shown(code)}")
    if option.discovery is not None and not isinstance(option.discovery, bool):
        raise FormInvalid(f"{where}: discovery is true or false")
    try:
        withheld.read({"genes": option.genes or ["BRCA1"], "mode": option.mode})
    except WithheldInvalid as error:
        raise FormInvalid(f"{where}: {error}") from error


def _weighty(form: Form) -> list[Question]:
    """Return the questions that bear on the terms, and those that open them."""
    wanted: set[str] = set()
    for question in reversed(form.questions):
        if question.id in wanted or _bears_on_terms(question):
            wanted |= {question.id, *question.only_if}
            for option in question.options:
                wanted |= set(option.only_if)
    return [question for question in form.questions if question.id in wanted]


def _bears_on_terms(question: Question) -> bool:
    return question.kind in ("diseases", "countries") or any(
        option.permission is not None or option.modifiers for option in question.options
    )


def _combinations(questions: list[Question]) -> Iterator[dict[str, list[str]]]:
    for picked in itertools.product(*(_ways(question) for question in questions)):
        yield {
            question.id: list(values)
            for question, values in zip(questions, picked, strict=True)
            if values
        }


def _ways(question: Question) -> list[tuple[str, ...]]:
    """Return every set of values that one question can be answered with."""
    values = [option.value for option in question.options]
    if question.kind == "one":
        ways: list[tuple[str, ...]] = [(value,) for value in values]
        return ways if question.required else [(), *ways]
    if question.kind == "many":
        return [
            picked
            for size in range(len(values) + 1)
            for picked in itertools.combinations(values, size)
            if picked or not question.required
        ]
    return [(_sample(question),)]


def _any_answer(question: Question) -> str | list[str]:
    if question.options:
        value = question.options[0].value
        return value if question.kind == "one" else [value]
    return [_sample(question)]


def _sample(question: Question) -> str:
    return _some_disease() if question.kind == "diseases" else _SAMPLES[question.kind]


@cache
def _some_disease() -> str:
    # Any living id: every one of them is matched alike.
    return diseases.graph().search("cancer", 1)[0][0]
