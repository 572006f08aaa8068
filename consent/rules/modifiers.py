"""Rule 4: the conditions that a donor adds, one function each.

NMDS, NPOA and GSO limit the research itself and stand in `consent.rules.research`;
CC only opens, there. A parameter that cannot be read never opens anything: where
the ontology wants a list, a date or a number and none is there, a person must look.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consent.decision import (
    JSON,
    Clause,
    Obligation,
    deny,
    permit,
    review,
    strictest,
)
from consent.duo import MODIFIERS
from consent.purpose import Purpose
from consent.reading import day
from consent.terms import Terms, canonical, countries, identifiers, months


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A modifier's clause and what it obliges to, if the purpose goes ahead."""

    clause: Clause
    obligation: Obligation | None = None


def findings(purpose: Purpose, terms: Terms) -> Iterator[Finding]:
    """Yield one finding for each modifier of rule 4, in the ontology's order."""
    chosen = terms.chosen()
    for code in MODIFIERS:
        if code not in chosen:
            continue
        if code in _PARAMETERISED:
            yield _PARAMETERISED[code](purpose, chosen[code])
        elif chosen[code] is not True:
            yield Finding(
                clause=deny(code, f"the condition {code} cannot be read: not true")
            )
        elif code in _PLAIN:
            yield _PLAIN[code](purpose)


def _npu(purpose: Purpose) -> Finding:
    return Finding(clause=_organisation("NPU", purpose))


def _ncu(purpose: Purpose) -> Finding:
    return Finding(clause=_use("NCU", purpose))


def _npuncu(purpose: Purpose) -> Finding:
    both = (_organisation("NPUNCU", purpose), _use("NPUNCU", purpose))
    verdict = strictest(clause.verdict for clause in both)
    reasons = [clause.reason for clause in both if clause.verdict is verdict]
    return Finding(
        clause=Clause(code="NPUNCU", verdict=verdict, reason="; ".join(reasons))
    )


def _organisation(code: str, purpose: Purpose) -> Clause:
    if purpose.organisation is None:
        return review(code, "not stated whether every organisation is non-profit")
    if purpose.organisation == "non-profit":
        return permit(code, "every organisation is non-profit")
    return deny(code, "the donor excludes companies, and one takes part")


def _use(code: str, purpose: Purpose) -> Clause:
    if purpose.commercial is None:
        return review(code, "not stated whether the use is commercial")
    if purpose.commercial:
        return deny(code, "the donor excludes commercial use")
    return permit(code, "the use is not commercial")


def _col(purpose: Purpose) -> Finding:
    if purpose.collaboration_letter is True:
        return Finding(clause=permit("COL", "a letter of collaboration is there"))
    return Finding(
        clause=deny(
            "COL", "the donor asks for collaboration, and there is no letter of it"
        )
    )


def _irb(purpose: Purpose) -> Finding:
    match purpose.ethics_approval:
        case "verified":
            clause = permit("IRB", "ethics approval is verified")
        case "unverified":
            clause = review("IRB", "ethics approval is not verified yet")
        case "exempt":
            clause = review("IRB", "said to be exempt from ethics approval")
        case "expired":
            clause = deny("IRB", "ethics approval has expired")
        case _:
            clause = deny("IRB", "the donor asks for ethics approval; there is none")
    return Finding(clause=clause)


def _pub(purpose: Purpose) -> Finding:
    return _promised("PUB", "to publish the results", purpose)


def _rtn(purpose: Purpose) -> Finding:
    return _promised("RTN", "to return the results", purpose)


def _promised(code: str, what: str, purpose: Purpose) -> Finding:
    if code in purpose.agrees_to:
        return Finding(
            clause=permit(code, f"the recipient agrees {what}"),
            obligation=Obligation(code=code),
        )
    return Finding(clause=deny(code, f"the recipient has not agreed {what}"))


def _mor(purpose: Purpose, value: JSON) -> Finding:
    if "MOR" not in purpose.agrees_to:
        return Finding(
            clause=deny("MOR", "the recipient has not agreed to wait with publishing")
        )
    until = day(value)
    if until is None:
        return Finding(
            clause=review("MOR", "publishing has to wait, but the date is missing")
        )
    return Finding(
        clause=permit("MOR", "the recipient agrees to wait with publishing"),
        obligation=Obligation(code="MOR", not_before=until),
    )


def _ts(_purpose: Purpose, value: JSON) -> Finding:
    limit = months(value)
    if limit is None:
        return Finding(
            clause=review("TS", "use is limited in time, but the months are missing")
        )
    if limit < 1:
        return Finding(clause=deny("TS", "the time limit on use leaves no time"))
    return Finding(
        clause=permit("TS", "use is allowed for a limited time"),
        obligation=Obligation(code="TS", months=limit),
    )


def _gs(purpose: Purpose, value: JSON) -> Finding:
    allowed = countries(value)
    if not purpose.countries:
        clause = review("GS", "the countries of sites and storage are not stated")
    elif allowed is None:
        clause = review("GS", "use is limited to a region that is not a list")
    elif set(purpose.countries) <= allowed:
        clause = permit("GS", "all sites and storage are where the donor allows")
    else:
        clause = deny("GS", "a site or storage is outside the donor's region")
    return Finding(clause=clause)


def _us(purpose: Purpose, value: JSON) -> Finding:
    return _member("US", "people", set(purpose.users), value)


def _ps(purpose: Purpose, value: JSON) -> Finding:
    return _member("PS", "projects", {purpose.project} - {None}, value)


def _is(purpose: Purpose, value: JSON) -> Finding:
    return _member("IS", "institutions", {purpose.institution} - {None}, value)


def _member(code: str, what: str, asking: set[str | None], value: JSON) -> Finding:
    allowed = identifiers(value)
    if allowed is None:
        clause = review(code, f"use is limited to {what} that no list of ids names")
    elif not asking:
        clause = review(code, f"the purpose does not state which {what} take part")
    elif {canonical(name) for name in asking if name is not None} <= allowed:
        clause = permit(code, f"the {what} are among those the donor allows")
    else:
        clause = deny(code, f"the {what} are not among those the donor allows")
    return Finding(clause=clause)


def _rs(_purpose: Purpose, _value: JSON) -> Finding:
    return Finding(
        clause=review("RS", "limited to a kind of study that a person must judge")
    )


_PLAIN: dict[str, Callable[[Purpose], Finding]] = {
    "NPU": _npu,
    "NCU": _ncu,
    "NPUNCU": _npuncu,
    "COL": _col,
    "IRB": _irb,
    "PUB": _pub,
    "RTN": _rtn,
}
_PARAMETERISED: dict[str, Callable[[Purpose, JSON], Finding]] = {
    "GS": _gs,
    "MOR": _mor,
    "TS": _ts,
    "US": _us,
    "PS": _ps,
    "IS": _is,
    "RS": _rs,
}
