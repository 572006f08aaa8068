"""Turn the answers of a form into terms, what is kept back, and discovery.

Answers are one value for a question of kind `one`, a list of values for the others.
A question that is not asked under the other answers has no say, whatever came for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent import countries, diseases, withheld
from consent.errors import AnswersInvalid, TermsInvalid, WithheldInvalid
from consent.forms.definition import Condition, Form, Option, Question
from consent.reading import shown, strings
from consent.terms import Terms

Answers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a donor chose, in the words of the policy."""

    terms: Terms
    withheld: Mapping[str, Any]
    discovery: bool


def terms_from_answers(form: Form, answers: Answers) -> Terms:
    """Return the terms that the answers mean; raises AnswersInvalid."""
    return choices_from_answers(form, answers).terms


def choices_from_answers(form: Form, answers: Answers) -> Choices:
    """Return all that the answers mean; raises AnswersInvalid with the question."""
    known = {question.id for question in form.questions}
    if unknown := sorted(set(answers) - known):
        raise AnswersInvalid(f"the form has no question {shown(unknown[0])}")
    permissions: set[str] = set()
    found_diseases: list[str] = []
    modifiers: dict[str, Any] = {}
    genes: set[str] = set()
    mode: str | None = None
    discovery = False
    needs_genes: str | None = None
    questions = asked(form, answers)
    # What came for a question that is not asked must not decide about another.
    answers = {q.id: answers[q.id] for q in questions if q.id in answers}
    for question in questions:
        values = _values(question, answers)
        if question.kind == "diseases":
            found_diseases += _diseases(question, values)
        elif question.kind == "countries":
            modifiers |= _countries(question, values)
        elif question.kind == "genes":
            genes |= set(values)
        for option in chosen(question, answers):
            if option.permission is not None:
                permissions.add(option.permission)
            modifiers |= option.modifiers
            genes |= set(option.genes)
            mode = option.mode or mode
            discovery = discovery or option.discovery is True
            needs_genes = question.id if option.needs_genes else needs_genes
    if len(permissions) != 1:
        raise AnswersInvalid("the answers do not say what research is allowed")
    if needs_genes and not genes:
        raise AnswersInvalid(
            "choose at least one gene to keep back", question=needs_genes
        )
    # Never half an answer: diseases without DS would silently widen, or narrow.
    terms = Terms(
        permission=permissions.pop(),
        diseases=tuple(sorted(set(found_diseases))),
        modifiers=modifiers,
    )
    try:
        terms.check()
        kept_back = withheld.read({"genes": sorted(genes), "mode": mode})
    except (TermsInvalid, WithheldInvalid) as error:
        raise AnswersInvalid(str(error)) from error
    return Choices(terms=terms, withheld=kept_back, discovery=discovery)


def asked(form: Form, answers: Answers) -> list[Question]:
    """Return the questions that are asked under these answers, in order.

    A condition looks only at questions before it, and only at asked ones.
    """
    found: list[Question] = []
    counted: dict[str, str | Sequence[str]] = {}
    for question in form.questions:
        if holds(question.only_if, counted):
            found.append(question)
            if question.id in answers:
                counted[question.id] = answers[question.id]
    return found


def chosen(question: Question, answers: Answers) -> list[Option]:
    """Return the options of the question that were chosen and are offered."""
    values = _listed(answers.get(question.id))
    return [
        option
        for option in question.options
        if option.value in values and holds(option.only_if, answers)
    ]


def holds(condition: Condition, answers: Answers) -> bool:
    """Tell whether each named question was answered by one of the named values."""
    return all(
        set(_listed(answers.get(question))) & set(values)
        for question, values in condition.items()
    )


def wrong_answers(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the explanation of each comprehension question not answered rightly.

    There is no limit on tries, and no score is kept.
    """
    return {
        question.id: question.teach_back
        for question in form.comprehension
        if answers.get(question.id) != question.correct
    }


def _values(question: Question, answers: Answers) -> list[str]:
    given = answers.get(question.id)
    if question.kind == "one" and given is not None and not isinstance(given, str):
        raise AnswersInvalid("choose one answer", question=question.id)
    values = _listed(given)
    if strings(values) is None:
        raise AnswersInvalid("an answer is a text", question=question.id)
    if question.required and not values:
        raise AnswersInvalid(
            f"not answered yet: {question.title}", question=question.id
        )
    if question.options:
        known = {option.value for option in question.options}
        if unknown := sorted(set(values) - known):
            raise AnswersInvalid(
                f"{shown(unknown[0])} is not an answer to: {question.title}",
                question=question.id,
            )
    return values


def _listed(given: str | Sequence[str] | None) -> list[str]:
    if given is None or given == "":
        return []
    return [given] if isinstance(given, str) else list(given)


def _diseases(question: Question, values: list[str]) -> list[str]:
    graph = diseases.graph()
    for disease in values:
        if disease not in graph:
            raise AnswersInvalid(
                f"{shown(disease)} is not a disease that can be chosen",
                question=question.id,
            )
    return values


def _countries(question: Question, values: list[str]) -> dict[str, Any]:
    known = countries.names()
    for code in values:
        if code not in known:
            raise AnswersInvalid(
                f"{shown(code)} is not a country of ISO 3166", question=question.id
            )
    if not values or question.modifier is None:
        return {}
    return {question.modifier: sorted(set(values))}
