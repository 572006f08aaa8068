"""When a purpose's disease counts as one that the donor chose.

It must lie at or below a chosen disease under the ontology release that the donor
signed *and* under the current one, so that an update never widens a consent.
"""

from collections.abc import Iterable
from enum import Enum, auto

from consent.decision import Verdict
from consent.diseases import DiseaseGraph


class _Held(Enum):
    YES = auto()
    NO = auto()
    # A chosen id is obsolete and what it meant can no longer be told for sure.
    UNKNOWN = auto()


def match(
    disease: str, chosen: Iterable[str], graph: DiseaseGraph, signed: DiseaseGraph
) -> Verdict:
    """Return whether some chosen disease covers `disease`, under both releases."""
    target = graph.resolve(disease)
    if target is None:
        return Verdict.DENY
    terms = sorted(set(chosen))
    now = _held(target, [_carried_over(term, graph, signed) for term in terms], graph)
    then = _held(target, [term if term in signed else None for term in terms], signed)
    if now is _Held.YES and then is _Held.YES:
        return Verdict.PERMIT
    if now is _Held.NO and then is _Held.NO:
        return Verdict.DENY
    return Verdict.REVIEW


def _carried_over(term: str, graph: DiseaseGraph, signed: DiseaseGraph) -> str | None:
    """Return the current id of a chosen disease, or None where it is in doubt.

    A replacement may be broader than what was chosen, so it is followed only when
    all that lies below it now lay below the old id in the release that was signed.
    """
    if not graph.is_obsolete(term):
        return term
    replacement = graph.resolve(term)
    if replacement is None:
        return None
    if graph.self_and_descendants(replacement) <= signed.self_and_descendants(term):
        return replacement
    return None


def _held(target: str, chosen: list[str | None], graph: DiseaseGraph) -> _Held:
    if any(
        term is not None and graph.is_self_or_descendant(target, term)
        for term in chosen
    ):
        return _Held.YES
    return _Held.UNKNOWN if None in chosen else _Held.NO
