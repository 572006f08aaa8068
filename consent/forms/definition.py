"""The shape of a form: reading matter, a check of understanding, questions.

Each answer carries the DUO codes that it means, in the form's own data, so that the
sentence a donor reads and the rule that runs come from one definition. What answers
turn into is `consent.forms.answers`; whether a form may be published,
`consent.forms.checking`.

    {"title", "language",
     "must_stand": {"seal", "relatives", "name"},
     "key_information": {"title", "paragraphs"},
     "details": [{"id", "title", "paragraphs"}],
     "comprehension": [{"id", "text", "options", "correct", "teach_back"}],
     "questions": [{"id", "kind", "title", "help", "required", "only_if", "modifier",
                    "options": [{"value", "label", "help", "only_if",
                                 "permission", "modifiers",
                                 "genes", "needs_genes", "mode", "discovery"}]}]}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from consent.decision import JSON
from consent.errors import FormInvalid
from consent.reading import shown, strings

# one: radio buttons; many: tick boxes; the others: lists of ids, codes or symbols.
Kind = Literal["one", "many", "diseases", "countries", "genes"]
# Sentences that no form may leave out, in its own language.
MUST_STAND = ("seal", "relatives", "name")
_VERSION = re.compile(r"([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})")

# Question id -> the answers under which something is asked at all.
Condition = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    id: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComprehensionQuestion:
    """A question with one right answer; `teach_back` explains after a wrong one."""

    id: str
    text: str
    options: tuple[tuple[str, str], ...]
    correct: str
    teach_back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An answer and what it means: a permission, modifiers, what is kept back."""

    value: str
    label: str
    help: str = ""
    only_if: Condition = field(default_factory=dict)
    permission: str | None = None
    modifiers: Mapping[str, JSON] = field(default_factory=dict)
    genes: tuple[str, ...] = ()
    # True: makes no sense unless some gene is chosen, here or elsewhere.
    needs_genes: bool = False
    mode: str | None = None
    discovery: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One page of the form. Nothing is ticked beforehand.

    `modifier` is the code whose parameter a question of kind `countries` gives.
    """

    id: str
    kind: Kind
    title: str
    help: str = ""
    required: bool = False
    only_if: Condition = field(default_factory=dict)
    modifier: str | None = None
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    title: str
    language: str
    must_stand: Mapping[str, str]
    key_information: Section
    details: tuple[Section, ...]
    comprehension: tuple[ComprehensionQuestion, ...]
    questions: tuple[Question, ...]

    def question(self, question_id: str) -> Question:
        for question in self.questions:
            if question.id == question_id:
                return question
        raise FormInvalid(f"the form has no question {shown(question_id)}")


def read(content: JSON) -> Form:
    """Return the form in `content`; raises FormInvalid with the place at fault."""
    top = _object(
        content,
        "the form",
        {
            "title",
            "language",
            "must_stand",
            "key_information",
            "details",
            "comprehension",
            "questions",
        },
    )
    stand = _object(top.get("must_stand"), "must_stand", set(MUST_STAND))
    form = Form(
        title=_text(top, "title", "the form"),
        language=_text(top, "language", "the form"),
        must_stand={name: _text(stand, name, "must_stand") for name in MUST_STAND},
        key_information=_section(top.get("key_information"), "key_information"),
        details=tuple(
            _section(one, f"details {number}")
            for number, one in _numbered(top, "details")
        ),
        comprehension=tuple(
            _comprehension(one, f"comprehension {number}")
            for number, one in _numbered(top, "comprehension")
        ),
        questions=tuple(
            _question(one, f"questions {number}")
            for number, one in _numbered(top, "questions")
        ),
    )
    for what, ids in (
        ("details", [one.id for one in form.details]),
        ("comprehension", [one.id for one in form.comprehension]),
        ("questions", [one.id for one in form.questions]),
    ):
        if len(set(ids)) != len(ids):
            raise FormInvalid(f"{what}: two of them have the same id")
    return form


def version_number(version: str) -> tuple[int, int]:
    """Return (major, minor) of "1.0"; raises FormInvalid.

    >>> version_number("2.10")
    (2, 10)
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise FormInvalid(f"expected a version such as 1.0, got {shown(version)}")
    return int(found[1]), int(found[2])


def _section(data: JSON, where: str) -> Section:
    found = _object(data, where, {"id", "title", "paragraphs"})
    paragraphs = found.get("paragraphs")
    if not isinstance(paragraphs, list) or not strings(paragraphs):
        raise FormInvalid(f"{where}: expected paragraphs, a list of texts")
    return Section(
        id=str(found.get("id") or where),
        title=_text(found, "title", where),
        paragraphs=tuple(paragraphs),
    )


def _comprehension(data: JSON, where: str) -> ComprehensionQuestion:
    found = _object(data, where, {"id", "text", "options", "correct", "teach_back"})
    options = tuple(
        (_text(one, "value", where), _text(one, "label", where))
        for _, one in _numbered(found, "options")
    )
    correct = _text(found, "correct", where)
    if correct not in dict(options) or len(dict(options)) != len(options):
        raise FormInvalid(f"{where}: the right answer is not one of the options")
    return ComprehensionQuestion(
        id=_text(found, "id", where),
        text=_text(found, "text", where),
        options=options,
        correct=correct,
        teach_back=_text(found, "teach_back", where),
    )


def _question(data: JSON, where: str) -> Question:
    keys = {
        "id",
        "kind",
        "title",
        "help",
        "required",
        "only_if",
        "modifier",
        "options",
    }
    found = _object(data, where, keys)
    kind = found.get("kind")
    if kind not in get_args(Kind):
        raise FormInvalid(
            f"{where}: expected a kind of {', '.join(get_args(Kind))}, "
            f"got {shown(kind)}"
        )
    options = tuple(
        _option(one, f"{where}, option {number}")
        for number, one in _numbered(found, "options", required=kind in ("one", "many"))
    )
    if len({option.value for option in options}) != len(options):
        raise FormInvalid(f"{where}: two options have the same value")
    return Question(
        id=_text(found, "id", where),
        kind=cast("Kind", kind),
        title=_text(found, "title", where),
        help=str(found.get("help") or ""),
        required=found.get("required") is True,
        only_if=_condition(found.get("only_if"), where),
        modifier=found.get("modifier"),
        options=options,
    )


def _option(data: JSON, where: str) -> Option:
    keys = {
        "value",
        "label",
        "help",
        "only_if",
        "permission",
        "modifiers",
        "genes",
        "needs_genes",
        "mode",
        "discovery",
    }
    found = _object(data, where, keys)
    genes = strings(found.get("genes") or [])
    if genes is None:
        raise FormInvalid(f"{where}: expected genes, a list of symbols")
    return Option(
        value=_text(found, "value", where),
        label=_text(found, "label", where),
        help=str(found.get("help") or ""),
        only_if=_condition(found.get("only_if"), where),
        permission=found.get("permission"),
        modifiers=dict(_object(found.get("modifiers") or {}, where, None)),
        genes=genes,
        needs_genes=found.get("needs_genes") is True,
        mode=found.get("mode"),
        discovery=found.get("discovery"),
    )


def _condition(data: JSON, where: str) -> Condition:
    found: dict[str, tuple[str, ...]] = {}
    for question, values in _object(data or {}, where, None).items():
        wanted = strings(values)
        if not wanted:
            raise FormInvalid(f"{where}: only_if names no answers of {question}")
        found[question] = wanted
    return found


def _object(data: JSON, where: str, keys: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise FormInvalid(f"{where}: expected an object, got {shown(data)}")
    if keys is not None and (unknown := sorted(set(data) - keys)):
        raise FormInvalid(f"{where}: unknown key {shown(unknown[0])}")
    return data


def _text(data: JSON, key: str, where: str) -> str:
    value = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(value, str) or not value.strip():
        raise FormInvalid(f"{where}: expected {key}, a text")
    return value


def _numbered(
    data: Mapping[str, Any], key: str, *, required: bool = True
) -> list[tuple[int, JSON]]:
    value = data.get(key)
    if value is None and not required:
        return []
    if not isinstance(value, list) or not value:
        raise FormInvalid(f"expected {key}, a list of at least one")
    return list(enumerate(value, start=1))
