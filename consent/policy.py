"""Decide whether a donor's terms allow a research purpose on a day.

Pure, three-valued and fail-closed: deny beats review beats permit, and what is not
understood is refused. Whether a review was resolved by a person, and how many
donors a result must hold, are left to who asks.

`python -m consent.policy FILE.json` decides the cases of a file of vectors: one
JSON line each, exit 0 when every case was decided, 2 on unreadable input.
Source: GA4GH Data Use Ontology; rules numbered as in `consent.rules`.
"""

import calendar
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from consent import diseases, duo
from consent.decision import (
    JSON,
    Clause,
    Decision,
    Obligation,
    Verdict,
    deny,
    strictest,
)
from consent.diseases import DiseaseGraph
from consent.purpose import Purpose
from consent.reading import day
from consent.rules import modifiers, research, standing
from consent.terms import Terms

__all__ = [
    "RULES_VERSION",
    "Clause",
    "Decision",
    "Obligation",
    "Purpose",
    "Terms",
    "Verdict",
    "decide",
    "without_consent",
]

# Raised whenever a rule may decide a case differently: a person's signed decision
# on a review clause is bound to it.
RULES_VERSION = "1"


def decide(
    purpose: Purpose,
    terms: Terms,
    on: date,
    *,
    graph: DiseaseGraph | None = None,
    signed_graph: DiseaseGraph | None = None,
    first_release: date | None = None,
    asked_until: date | None = None,
) -> Decision:
    """Return the verdict of `terms` on `purpose` on the day `on`, with every clause.

    `graph` is the current disease ontology and `signed_graph` the release that the
    donor signed under (both default to the shipped one). A time limit counts from
    `first_release`, the day of the project's first release, so that renewal never
    restarts it; from `on` while there is none. `asked_until` is the end the
    researcher asked for. Total: raises for no input of these types.
    """
    current = diseases.graph() if graph is None else graph
    signed = current if signed_graph is None else signed_graph
    found = [
        *standing.clauses(purpose, terms, current),
        *research.clauses(purpose, terms, current, signed),
    ]
    obligations = []
    expires: date | None = None
    for finding in modifiers.findings(purpose, terms):
        found.append(finding.clause)
        obligation = finding.obligation
        if obligation is None:
            continue
        obligations.append(obligation)
        if obligation.months is not None:
            limit = _months_after(first_release or on, obligation.months)
            expires = limit if asked_until is None else min(asked_until, limit)
            if on > limit:
                found.append(deny("TS", "the donor's time limit on use has passed"))
    clauses = _one_per_code(found)
    verdict = strictest(clause.verdict for clause in clauses)
    is_denied = verdict is Verdict.DENY
    return Decision(
        verdict=verdict,
        clauses=clauses,
        # Nothing is owed for a use that is not allowed.
        obligations=()
        if is_denied
        else tuple(sorted(obligations, key=lambda item: item.code)),
        expires=None if is_denied else expires,
        versions={
            "rules": RULES_VERSION,
            "duo": duo.VERSION,
            "mondo": current.version,
        },
    )


def without_consent() -> Decision:
    """Return the decision for a donor who has decided nothing yet."""
    return Decision(
        verdict=Verdict.DENY,
        clauses=(deny("consent", "the donor has not given a consent"),),
        obligations=(),
        expires=None,
        versions={
            "rules": RULES_VERSION,
            "duo": duo.VERSION,
            "mondo": diseases.VERSION,
        },
    )


def main(arguments: Sequence[str]) -> int:
    """Decide the cases of the file named in `arguments`; return the exit status."""
    if len(arguments) != 1:
        return _unreadable("usage: python -m consent.policy FILE.json")
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8-sig")
        cases = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        return _unreadable(f"cannot read {arguments[0]}: {error}")
    if not isinstance(cases, list):
        return _unreadable(f"{arguments[0]}: expected a list of cases")
    status = 0
    for number, case in enumerate(cases, start=1):
        if not isinstance(case, Mapping):
            status = _unreadable(f"{arguments[0]}: case {number} is not an object")
            continue
        print(json.dumps(_answer(case, datetime.now(UTC).date())))
    return status


def _answer(case: Mapping[str, JSON], today: date) -> dict[str, JSON]:
    given = case.get("on")
    on = today if given is None else day(given)
    problems = [
        deny(f"case:{key}", f"the case states no {key}")
        for key in ("purpose", "terms")
        if case.get(key) is None
    ]
    if on is None:
        problems.append(deny("case:on", "the case's day is not a date YYYY-MM-DD"))
    decision = decide(
        Purpose.read({} if case.get("purpose") is None else case["purpose"]),
        Terms.read({} if case.get("terms") is None else case["terms"]),
        on or today,
    )
    return {
        "id": case.get("id"),
        "verdict": (Verdict.DENY if problems else decision.verdict).value,
        "obligations": []
        if problems
        else [item.to_json() for item in decision.obligations],
        "clauses": [clause.to_json() for clause in (*problems, *decision.clauses)],
    }


def _one_per_code(found: Iterable[Clause]) -> tuple[Clause, ...]:
    """Return one clause per code, the strictest, in the order of the rules.

    A person's decision on a review names a clause by its code.
    """
    kept: dict[str, Clause] = {}
    for clause in found:
        known = kept.get(clause.code)
        if known is None or _is_stricter(clause, known):
            kept[clause.code] = clause
    return tuple(kept.values())


def _is_stricter(clause: Clause, known: Clause) -> bool:
    both = (clause.verdict, known.verdict)
    return strictest(both) is clause.verdict and clause.verdict is not known.verdict


def _months_after(start: date, months: int) -> date:
    """Return the same day so many months on, or that month's last day.

    >>> _months_after(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    # Of two values for one key a parser keeps the last, and a reader sees the first.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a key twice")
    return found


def _no_constant(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _unreadable(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
