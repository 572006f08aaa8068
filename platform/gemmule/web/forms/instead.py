"""What an error suggests in place of what was typed, taken by one button each.

A name may mean several genes, so nothing is ever replaced but by the person who typed
it. The buttons submit the form as it stands; its page then shows what changed.
"""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.forms.utils import ErrorList
from django.http import QueryDict
from django.utils.text import capfirst

from gemmule.catalog.errors import Problem

NAME = "put_instead"
_MAX_OFFERS = 12
_MAX_ERRORS = 5


def refusal(message: str, problems: Sequence[Problem]) -> ValidationError:
    """Return the error of a field with all that could stand in place of its faults."""
    offered = [(one.subject, choice) for one in problems for choice in one.choices]
    # What is typed may hold a %: it is a parameter, never the pattern.
    return ValidationError(
        "%(message)s", params={"message": message, "offers": offered}
    )


def refusals(message: str, problems: Sequence[Problem]) -> list[ValidationError]:
    """Return an error for each of the first problems; of none, of the whole message."""
    return [refusal(capfirst(str(one)), [one]) for one in problems[:_MAX_ERRORS]] or [
        refusal(message, [])
    ]


def offers(errors: ErrorList) -> list[tuple[str, str]]:
    """Return (what was typed, what could stand there), each once, of errors."""
    found = {
        pair: None
        for error in errors.as_data()
        for pair in (error.params or {}).get("offers", ())
    }
    return list(found)[:_MAX_OFFERS]


def taken(data: QueryDict, field: str) -> tuple[QueryDict, str]:
    """Return what was sent with an offer put in place, and a word of what changed.

    Without a button of an offer, or where the name does not stand in the field, it is
    the data as they came, and no word.
    """
    typed, _, choice = data.get(NAME, "").rpartition("=")
    if not typed or not choice:
        return data, ""
    whole = re.compile(rf"(?<![^\s,;]){re.escape(typed)}(?![^\s,;])", re.IGNORECASE)
    text, count = whole.subn(lambda _: choice, data.get(field, ""))
    if not count:
        return data, ""
    changed = data.copy()
    changed[field] = text
    return changed, f"{choice} now stands in place of {typed}."
