"""Forms of the donor's pages: one question each, a check, a signature."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from consent import countries, diseases
from consent.forms.definition import ComprehensionQuestion, Option, Question
from gemmule.catalog import regions
from gemmule.catalog.errors import Problem, RegionsInvalid
from gemmule.web.forms import instead

# More than this on one page helps nobody; the search narrows it down.
_FOUND = 12
_MAX_PICKED = 300
_MAX_GENES = 200
_BUILDS = ("GRCh38", "GRCh37")
_ORF = re.compile(r"\bC(\d+|X|Y)ORF(\d+)")


class HintedRadios(forms.RadioSelect):
    """Radio buttons, each with the hint that explains it."""

    hints: Mapping[str, str] = {}

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tie a hint to its button."""
        return _with_hint(super().create_option(*args, **kwargs), self.hints)


class HintedBoxes(forms.CheckboxSelectMultiple):
    """Tick boxes, each with the hint that explains it."""

    hints: Mapping[str, str] = {}

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tie a hint to its box."""
        return _with_hint(super().create_option(*args, **kwargs), self.hints)


class PickField(forms.MultipleChoiceField):
    """Things picked from a list too long to show; only some are on the page."""

    def __init__(self, *, is_known: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(widget=forms.CheckboxSelectMultiple, **kwargs)
        self.is_known = is_known

    def valid_value(self, value: Any) -> bool:
        """Accept what is known, shown or not."""
        return self.is_known(str(value))

    def validate(self, value: Sequence[str]) -> None:
        """Refuse far more than a person would pick."""
        if len(value) > _MAX_PICKED:
            raise ValidationError(f"Pick {_MAX_PICKED} at most.")
        super().validate(value)


class GenesField(forms.CharField):
    """Short names of genes, parted by commas, blanks or lines."""

    def prepare_value(self, value: Any) -> Any:
        """Show a list as it is typed."""
        return value if isinstance(value, str) else ", ".join(value or [])

    def clean(self, value: Any) -> list[str]:
        """Return the names as they are spelt; raises ValidationError."""
        found, problems = [], []
        for typed in str(value or "").replace(",", " ").replace(";", " ").split():
            try:
                found.append(_gene(typed))
            except ValidationError as error:
                problems.append(error)
            if len(found) + len(problems) > _MAX_GENES:
                raise ValidationError(f"Name {_MAX_GENES} genes at most.")
        if problems:
            raise ValidationError(problems[:5])
        return sorted(set(found))


class QuestionForm(forms.Form):
    """One question of a consent form; its one field is called as the question is."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        question: Question,
        offered: Sequence[Option],
        answer: str | list[str] | None = None,
        search: str = "",
    ) -> None:
        """Show `answer` when nothing was sent; `search` narrows a long list."""
        super().__init__(data, initial={question.id: answer})
        picked = data.getlist(question.id) if data is not None else answer
        self.search = search
        self.fields[question.id] = _field(
            question, offered, [picked] if isinstance(picked, str) else picked, search
        )
        self.question = question

    @property
    def answer(self) -> str | list[str]:
        """Return the answer of a valid form."""
        found: str | list[str] = self.cleaned_data[self.question.id]
        return found


class CheckForm(forms.Form):
    """The check of understanding: as many tries as it takes, no score."""

    def __init__(
        self, data: QueryDict | None, *, questions: Iterable[ComprehensionQuestion]
    ) -> None:
        super().__init__(data)
        for question in questions:
            self.fields[question.id] = forms.ChoiceField(
                label=question.text,
                choices=question.options,
                widget=HintedRadios,
                error_messages=_MESSAGES,
            )


class EventForm(forms.Form):
    """The id that makes a double click one act."""

    event = forms.UUIDField(required=False, widget=forms.HiddenInput)


class SignForm(EventForm):
    """What was read, and the password again."""

    statement_sha256 = forms.RegexField("^[0-9a-f]{64}$", widget=forms.HiddenInput)
    password = forms.CharField(
        label="Your password",
        help_text="Type it again. It stands for your signature.",
        strip=False,
        error_messages={"required": "Type your password to sign."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class EraseForm(forms.Form):
    """The password again: what it begins cannot be undone."""

    password = forms.CharField(
        label="Your password",
        help_text="Type it again, so that no one else can do this.",
        strip=False,
        error_messages={"required": "Type your password to go on."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def _with_hint(option: dict[str, Any], hints: Mapping[str, str]) -> dict[str, Any]:
    hint = hints.get(str(option["value"]))
    if hint and "id" in option["attrs"]:
        option["hint"] = hint
        option["hint_id"] = f"{option['attrs']['id']}_hint"
        option["attrs"]["aria-describedby"] = option["hint_id"]
    return option


_MESSAGES = {
    "required": "Choose one answer.",
    "invalid_choice": "Choose one of the answers on this page.",
}
_NOUNS = {"diseases": "illness", "countries": "country"}


def _field(
    question: Question,
    offered: Sequence[Option],
    picked: Sequence[str] | None,
    search: str,
) -> forms.Field:
    common: dict[str, Any] = {
        "label": question.title,
        "required": question.required,
        "help_text": question.help,
    }
    if question.kind in ("one", "many"):
        choices = [(option.value, option.label) for option in offered]
        hints = {option.value: option.help for option in offered if option.help}
        one = question.kind == "one"
        made: forms.ChoiceField = (
            forms.ChoiceField(choices=choices, widget=HintedRadios, **common)
            if one
            else forms.MultipleChoiceField(
                choices=choices, widget=HintedBoxes, **common
            )
        )
        made.widget.hints = hints
        made.error_messages.update(_MESSAGES)
        return made
    if question.kind == "genes":
        attrs = {"rows": 3, "spellcheck": "false", "autocapitalize": "characters"}
        return GenesField(widget=forms.Textarea(attrs=attrs), max_length=4000, **common)
    noun = _NOUNS[question.kind]
    find, known = (
        (_diseases, lambda one: one in diseases.graph())
        if question.kind == "diseases"
        else (_countries, lambda one: one in countries.names())
    )
    return PickField(
        is_known=known,
        choices=find(picked or [], search),
        error_messages={
            "required": f"Tick at least one {noun}. Search for it first.",
            "invalid_choice": f"Pick each {noun} from the list.",
        },
        **common,
    )


def _diseases(picked: Sequence[str], search: str) -> list[tuple[str, str]]:
    """Return what is picked, then what the search finds."""
    graph = diseases.graph()
    shown = {one: graph.label(one) or one for one in picked if one in graph}
    for found, label in graph.search(search[:100], _FOUND):
        shown.setdefault(found, label)
    return list(shown.items())


def _countries(picked: Sequence[str], search: str) -> list[tuple[str, str]]:
    names = countries.names()
    wanted = search.strip().lower()
    shown = {one: names[one] for one in picked if one in names}
    for code, name in names.items():
        if wanted in name.lower():
            shown.setdefault(code, name)
    return list(shown.items())


def _gene(typed: str) -> str:
    """Return a gene's name if any build of the genome has it."""
    # HGNC writes capitals, save for open reading frames: C9orf72.
    symbol = _ORF.sub(r"C\1orf\2", typed.upper())
    problems: list[Problem] = []
    for build in _BUILDS:
        try:
            regions.of_gene(symbol, build)
        except RegionsInvalid as error:
            problems += error.problems
        else:
            return symbol
    # The first build that can say more speaks for both.
    said = next((one for one in problems if one.choices), problems[0])
    shown = f"“{typed[:40]}”"
    near = " or ".join(said.choices)
    if said.code == "gene-alias":
        text = f"{shown} is another name of {near}. Did you mean {near}?"
    else:
        text = f"We know no gene called {shown}." + (
            f" Did you mean {near}?" if near else ""
        )
    raise instead.refusal(text, [replace(said, subject=typed)])
