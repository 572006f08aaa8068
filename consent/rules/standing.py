"""Rules 0, 1 and 5: what no permission opens, and what a person must look at.

Which research the permission covers is `consent.rules.research`.
"""

from collections.abc import Iterator

from consent.decision import Clause, deny, permit, review
from consent.diseases import DiseaseGraph
from consent.duo import MODIFIERS, PERMISSIONS
from consent.purpose import RESEARCH_TYPES, SENSITIVE, Purpose
from consent.reading import named, shown
from consent.terms import ACTIVE, Terms

_STATES = {
    "paused": "the donor has paused all new use",
    "withdrawn": "the donor has withdrawn consent",
    "expired": "the consent has expired",
    "refused": "the donor has refused",
    "superseded": "a newer consent of the donor stands in place of this one",
}


def clauses(purpose: Purpose, terms: Terms, graph: DiseaseGraph) -> Iterator[Clause]:
    """Yield what holds whatever the permission."""
    yield from purpose.problems
    yield from terms.problems
    for flag in sorted(set(purpose.prohibited)):
        yield deny(
            named("prohibited", flag),
            f"the purpose is marked {shown(flag)}, which no consent allows",
        )
    yield _state(terms)
    if terms.permission not in PERMISSIONS:
        yield _no_permission(terms)
    for code in sorted(terms.chosen()):
        if code not in MODIFIERS:
            yield deny(
                named("modifier", code),
                f"the consent carries the unknown condition {shown(code)}",
            )
    yield from _known_words(purpose)
    yield from _known_diseases(purpose, terms, graph)


def _state(terms: Terms) -> Clause:
    if terms.state == ACTIVE:
        return permit("state", "the consent is in force")
    reason = _STATES.get(terms.state)
    if reason is None:
        reason = f"the consent is in the unknown state {shown(terms.state)}"
    return deny("state", reason)


def _no_permission(terms: Terms) -> Clause:
    if terms.permission is None:
        return deny("permission", "the consent gives no permission")
    return deny(
        "permission",
        f"the consent gives the unknown permission {shown(terms.permission)}",
    )


def _known_words(purpose: Purpose) -> Iterator[Clause]:
    for name in sorted(set(purpose.research_types) - set(RESEARCH_TYPES)):
        yield deny(
            named("type", name), f"{shown(name)} is not a research type known here"
        )
    for flag in sorted(set(purpose.sensitive)):
        code = named("sensitive", flag)
        if flag in SENSITIVE:
            yield review(code, f"{flag.replace('_', ' ')}: a person must look at this")
        else:
            yield deny(code, f"{shown(flag)} is not a sensitive use known here")


def _known_diseases(
    purpose: Purpose, terms: Terms, graph: DiseaseGraph
) -> Iterator[Clause]:
    for disease in sorted(set(purpose.diseases)):
        if graph.resolve(disease) is None:
            yield deny(
                named("disease", disease),
                f"{shown(disease)} is not a disease of MONDO {graph.version}, "
                "nor replaced by one",
            )
    if terms.permission == "DS" and not terms.diseases:
        yield deny("terms:diseases", "the consent is for diseases but names none")
    elif any(graph.label(disease) is None for disease in terms.diseases):
        yield deny(
            "terms:diseases",
            f"the consent names a disease that MONDO {graph.version} lacks",
        )
