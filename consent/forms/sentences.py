"""Say in plain words what a donor allows: review page, receipts, history.

English, reading grade 8 at most (a test measures it). The sentences come from the
terms that the policy decides on, never from the ticks on a page.
"""

from collections.abc import Callable, Mapping
from typing import Any

from consent import countries as countries_of_the_world
from consent import diseases
from consent.decision import JSON
from consent.duo import MODIFIERS
from consent.reading import day, strings
from consent.terms import Terms, months

# More gene names than this are counted, and only the first ones named.
_NAMED_GENES = 8

_PERMISSIONS: Mapping[str | None, str] = {
    "NRES": "Your data may be used for all research, of any kind.",
    "GRU": "Your data may be used for any kind of research.",
    "HMB": "Your data may be used for research on health and illness.",
    "POA": (
        "Your data may be used for research on family roots and where people come "
        "from, and for nothing else."
    ),
    None: "Your data may not be used.",
}
_PLAIN: Mapping[str, str] = {
    "NMDS": "No one may use your data just to build new tools or methods.",
    "GSO": "Only studies of genes may use your data.",
    "NPUNCU": "No companies may use your data, and no one may make money with it.",
    "NPU": "No companies may use your data.",
    "NCU": "No one may use your data to make money.",
    "PUB": "Researchers must make their results public.",
    "COL": "Researchers must work with the team that collected your data.",
    "IRB": "An ethics board must have said yes to the study.",
    "RTN": "What researchers make from your data must come back to this data bank.",
    "CC": "Doctors may also use your data to care for patients.",
    "NPOA": "No research on family roots and where people come from.",
    "RS": "Your data may be used only in some kinds of studies. A person checks each.",
    "US": "Only people on a fixed list may use your data.",
    "PS": "Only projects on a fixed list may use your data.",
    "IS": "Only places on a fixed list may use your data.",
}


def plain_sentences(
    terms: Terms, withheld: Mapping[str, Any], discovery: bool
) -> list[str]:
    """Return what is allowed, sentence by sentence, in a fixed order."""
    if terms.permission is None:
        return [_PERMISSIONS[None]]
    found = [_permission(terms)]
    chosen = terms.chosen()
    for code in MODIFIERS:
        if code in chosen:
            speak = _SPOKEN.get(code)
            found.append(speak(chosen[code]) if speak else _PLAIN[code])
    found += _kept_back(withheld)
    found.append(
        "You are counted when a researcher asks how many people fit a study."
        if discovery
        else "You are not counted when a researcher asks how many people fit a study."
    )
    return found


def _permission(terms: Terms) -> str:
    if terms.permission != "DS":
        return _PERMISSIONS.get(terms.permission, _PERMISSIONS[None])
    graph = diseases.graph()
    names = sorted(graph.label(disease) or disease for disease in terms.diseases)
    return (
        f"Your data may be used only for research on: {'; '.join(names)}. "
        "All forms of it are part of this."
    )


def _place(value: JSON) -> str:
    known = countries_of_the_world.names()
    names = sorted(known.get(code, code) for code in strings(value) or ())
    return f"Your data may be used and kept only in: {', '.join(names)}."


def _time(value: JSON) -> str:
    limit = months(value) or 0
    years, rest = divmod(limit, 12)
    if years and not rest:
        return f"One project may use your data for {_count(years, 'year')} at most."
    return f"One project may use your data for {_count(limit, 'month')} at most."


def _wait(value: JSON) -> str:
    until = day(value)
    if until is None:
        return "Researchers must wait before they make their results public."
    return (
        "Researchers must wait until "
        f"{until.day} {until:%B %Y} before they make their results public."
    )


def _kept_back(withheld: Mapping[str, Any]) -> list[str]:
    genes = list(withheld.get("genes") or [])
    regions = list(withheld.get("regions") or [])
    if not genes and not regions:
        return []
    found = []
    if len(genes) > _NAMED_GENES:
        found.append(
            f"{len(genes)} genes are not handed over. "
            f"Some of them are: {', '.join(genes[:_NAMED_GENES])}."
        )
    elif genes:
        found.append(f"These genes are not handed over: {', '.join(genes)}.")
    if regions:
        found.append(
            f"{_count(len(regions), 'stretch', 'stretches')} of your DNA "
            f"{'is' if len(regions) == 1 else 'are'} not handed over."
        )
    match withheld.get("mode"):
        case "missing":
            found.append("Researchers may see that a part was kept back.")
        case "exclude-region-for-all":
            found.append("No file that you are in has these parts of anyone.")
        case _:
            found.append("You are left out of each file that these parts could be in.")
    found.append("DNA close by may still give a hint of what is in them.")
    return found


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


_SPOKEN: Mapping[str, Callable[[JSON], str]] = {
    "GS": _place,
    "TS": _time,
    "MOR": _wait,
}
