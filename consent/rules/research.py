"""Rules 2 and 3: which research the permission covers, and NMDS, NPOA, GSO.

Every declared research type must be permitted; each gives one clause.
"""

from collections.abc import Iterator

from consent.decision import Clause, Verdict, deny, permit, review, strictest
from consent.diseases import DiseaseGraph
from consent.purpose import RESEARCH_TYPES, Purpose
from consent.reading import named
from consent.rules import matching
from consent.terms import Terms

_WORDS = {
    "general": "research of any kind",
    "biomedical": "health and medical research",
    "disease": "research on a disease",
    "ancestry": "research on ancestry and origins",
    "methods": "development of methods",
    "controls": "use as a comparison group",
}
# The words of the permissions, for reasons.
_ALLOWS = {
    "NRES": "any use in research",
    "GRU": "any research",
    "HMB": "health and medical research",
    "DS": "research on chosen diseases",
    "POA": "research on ancestry alone",
}
_TABLE: dict[str, dict[str, Verdict]] = {
    "HMB": {
        "biomedical": Verdict.PERMIT,
        "disease": Verdict.PERMIT,
        "methods": Verdict.PERMIT,
        "controls": Verdict.REVIEW,
    },
    "POA": {"ancestry": Verdict.PERMIT},
}


def clauses(
    purpose: Purpose, terms: Terms, graph: DiseaseGraph, signed: DiseaseGraph
) -> Iterator[Clause]:
    """Yield a clause for each research type and, under DS, for each disease."""
    types = {name for name in purpose.research_types if name in RESEARCH_TYPES}
    if purpose.diseases:
        types.add("disease")
    if not types and not purpose.research_types:
        yield review("type", "the purpose names neither a research type nor a disease")
    matched: Verdict | None = None
    if terms.permission == "DS" and purpose.diseases:
        found = {
            disease: matching.match(disease, terms.diseases, graph, signed)
            for disease in sorted(set(purpose.diseases))
        }
        matched = strictest(found.values())
        for disease, verdict in found.items():
            # An id that the ontology lacks has its clause among the standing ones.
            if graph.resolve(disease) is not None:
                yield _disease(disease, verdict, graph)
    for name in sorted(types):
        clause = _type(name, purpose, terms, matched)
        if clause is not None:
            yield clause
    yield from _limits(types, purpose, terms, matched)


def _type(
    name: str, purpose: Purpose, terms: Terms, matched: Verdict | None
) -> Clause | None:
    """Return the clause of one type; None where no permission could weigh it."""
    permission = terms.permission
    if permission not in _ALLOWS:
        return None
    if name == "clinical":
        return _clinical(terms, matched)
    code = named("type", name)
    outside = deny(
        code,
        f"the donor allows {_ALLOWS[permission]}, which leaves out {_WORDS[name]}",
    )
    if name == "disease" and not purpose.diseases and permission != "POA":
        reason = "the purpose is research on a disease but names none"
        return deny(code, reason) if permission == "DS" else review(code, reason)
    if permission in ("NRES", "GRU"):
        return permit(code, f"the donor allows {_ALLOWS[permission]}")
    if permission == "DS":
        return _disease_specific(name, matched, outside)
    verdict = _TABLE[permission].get(name, Verdict.DENY)
    if verdict is Verdict.PERMIT:
        return permit(code, f"the donor allows {_ALLOWS[permission]}")
    if verdict is Verdict.REVIEW:
        return review(
            code,
            f"the donor allows {_ALLOWS[permission]}; "
            f"a person must look at {_WORDS[name]}",
        )
    return outside


def _disease_specific(name: str, matched: Verdict | None, outside: Clause) -> Clause:
    code = outside.code
    reached = None if matched is Verdict.DENY else matched
    if name == "disease":
        # Reached with diseases listed, and each has its own clause: this one only
        # says that the type as such is what the donor chose.
        return permit(code, "the donor allows research on chosen diseases")
    if name == "biomedical" and reached is not None:
        return Clause(
            code=code,
            verdict=reached,
            reason="health and medical research on the diseases that the donor chose",
        )
    if name == "methods":
        if reached is Verdict.PERMIT:
            return permit(code, "methods for the diseases that the donor chose")
        return review(
            code, "methods without a disease that the donor chose: a person must look"
        )
    if name == "controls" and reached is not None:
        return review(
            code,
            "a comparison group for the diseases that the donor chose: "
            "a person must look",
        )
    return outside


def _clinical(terms: Terms, matched: Verdict | None) -> Clause:
    code = named("type", "clinical")
    if terms.permission == "POA":
        return deny(code, "the donor allows research on ancestry alone, never care")
    if terms.chosen().get("CC") is not True:
        return deny(code, "the donor has not allowed use in patient care")
    if terms.permission != "DS" or matched is Verdict.PERMIT:
        return permit(code, "the donor allows use in patient care")
    if matched is Verdict.REVIEW:
        return review(code, "care for a disease that the donor may have chosen")
    return deny(code, "the donor allows care only for the chosen diseases")


def _disease(disease: str, verdict: Verdict, graph: DiseaseGraph) -> Clause:
    code = named("disease", disease)
    name = graph.label(disease)
    if verdict is Verdict.PERMIT:
        return permit(code, f"{name}: among the diseases that the donor chose")
    if verdict is Verdict.REVIEW:
        return review(
            code,
            f"{name}: the list of diseases has changed since the donor chose; "
            "a person must look",
        )
    return deny(code, f"{name}: not among the diseases that the donor chose")


def _limits(
    types: set[str], purpose: Purpose, terms: Terms, matched: Verdict | None
) -> Iterator[Clause]:
    chosen = terms.chosen()
    if "NMDS" in chosen:
        if "methods" not in types:
            yield permit("NMDS", "no development of methods is planned")
        elif matched is not None and matched is not Verdict.DENY:
            yield review(
                "NMDS",
                "the donor excludes development of methods; for a chosen disease "
                "a person must look",
            )
        else:
            yield deny("NMDS", "the donor excludes development of methods")
    if "NPOA" in chosen:
        if "ancestry" in types:
            yield deny("NPOA", "the donor excludes research on ancestry and origins")
        else:
            yield permit("NPOA", "no research on ancestry is planned")
    if "GSO" in chosen:
        if purpose.uses_genetic_data:
            yield permit("GSO", "the research uses genetic data")
        else:
            yield deny("GSO", "the donor allows only research that uses genetic data")
