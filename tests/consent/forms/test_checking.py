"""Forms that may not be published, each with the place at fault."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from consent.errors import FormInvalid
from consent.forms import checking, definition, shipped

GOOD = shipped.content()
Spoil = Callable[[dict[str, Any]], object]


def question(content: dict[str, Any], question_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in content["questions"] if one["id"] == question_id
    )
    return found


def option(content: dict[str, Any], question_id: str, value: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one
        for one in question(content, question_id)["options"]
        if one["value"] == value
    )
    return found


def spoilt(spoil: Spoil) -> dict[str, Any]:
    content = copy.deepcopy(GOOD)
    spoil(content)
    return content


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c.pop("title"), "expected title"),
        (lambda c: c.update(colour=1), "unknown key 'colour'"),
        (lambda c: c.update(questions=[]), "expected questions"),
        (lambda c: c.update(key_information=5), "key_information: expected an object"),
        (lambda c: c["key_information"].update(paragraphs=[]), "paragraphs"),
        (lambda c: c["must_stand"].pop("seal"), "must_stand: expected seal"),
        (lambda c: c["must_stand"].update(seal=" "), "must_stand: expected seal"),
        (lambda c: c["details"].append(c["details"][0]), "same id"),
        (lambda c: c["comprehension"][0].update(correct="maybe"), "right answer"),
        (lambda c: question(c, "time").update(kind="slider"), "expected a kind"),
        (lambda c: question(c, "time").update(only_if={"place": []}), "names no"),
        (lambda c: option(c, "time", "open").update(label=""), "expected label"),
        (lambda c: option(c, "presets", "apoe").update(genes="APOE"), "a list of"),
        (lambda c: option(c, "time", "open").update(value="one-year"), "same value"),
    ],
)
def test_content_of_another_shape_is_refused(spoil: Spoil, message: str) -> None:
    with pytest.raises(FormInvalid, match=message):
        definition.read(spoilt(spoil))


@pytest.mark.parametrize("content", [None, [], "form", 5])
def test_what_is_no_object_is_refused(content: Any) -> None:
    with pytest.raises(FormInvalid, match="expected an object"):
        definition.read(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda c: option(c, "research", "any").update(permission="ALL"),
            "unknown permission 'ALL'",
        ),
        (
            lambda c: option(c, "companies", "no").update(modifiers={"NPX": True}),
            "unknown modifier 'NPX'",
        ),
        (
            lambda c: option(c, "companies", "no").update(modifiers={"NPU": "yes"}),
            "NPU cannot be read",
        ),
        (
            lambda c: option(c, "time", "one-year").update(modifiers={"TS": 0}),
            "TS cannot be read",
        ),
        (
            lambda c: option(c, "research", "health").pop("permission"),
            "do not say what research is allowed",
        ),
        (
            lambda c: option(c, "companies", "yes").update(permission="HMB"),
            "do not say what research is allowed",
        ),
        (
            lambda c: option(c, "research", "any").update(permission="DS"),
            "diseases belong to the permission DS",
        ),
        (
            lambda c: option(c, "presets", "apoe").update(genes=["AP OE"]),
            "not a gene symbol",
        ),
        (
            lambda c: option(c, "instead", "missing").update(mode="hide"),
            "expected a mode",
        ),
        (
            lambda c: option(c, "discovery", "yes").update(discovery="yes"),
            "discovery is true or false",
        ),
        (
            lambda c: question(c, "countries").update(modifier="US"),
            "countries limit GS alone",
        ),
        (
            lambda c: question(c, "companies").update(only_if={"time": ["open"]}),
            "depends on 'time'",
        ),
        (
            lambda c: question(c, "diseases").update(only_if={"research": ["some"]}),
            "'some', which research does not offer",
        ),
        (
            lambda c: option(c, "keep-back", "nothing").update(needs_genes=True),
            "at least one gene",
        ),
        (
            lambda c: question(c, "conditions")["options"].extend(
                {"value": f"more{n}", "label": "More", "modifiers": {"PUB": True}}
                for n in range(9)
            ),
            "more than 20,000 combinations",
        ),
    ],
)
def test_answers_that_mean_nothing_are_found(spoil: Spoil, message: str) -> None:
    with pytest.raises(FormInvalid, match=message):
        checking.check(definition.read(spoilt(spoil)))


def test_a_question_is_found_by_its_id() -> None:
    form = definition.read(GOOD)
    assert form.question("time").kind == "one"
    with pytest.raises(FormInvalid, match="no question 'colour'"):
        form.question("colour")
