"""Make the decision on a donor's consent again, from what the ledger opens to.

The rules are `consent.policy`, the very ones that the site runs; here they get nothing
but what a dossier shows and the ledger commits to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from consent import diseases, duo, events
from consent.diseases import DiseaseGraph
from consent.errors import ConsentError
from consent.policy import RULES_VERSION, Decision, Purpose, Verdict, decide
from gemmule.releases.withholding import withheld_regions
from gemmule.verifier.errors import ConsentNotShown, DossierInvalid, NothingChecked

# (consent, clause code, rules): what the IRB turned from review into permit.
Resolved = frozenset[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a consent puts its donor into a release; `why` not, in plain words."""

    is_permitted: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every consent, and under which circumstances."""

    purpose: Purpose
    build: str
    barred_countries: frozenset[str]
    first_release: date | None
    asked_until: date | None
    resolved: Resolved

    def answer(self, body: Mapping[str, Any], on: date) -> Answer:
        """Return what a consent, by its opened body, says on a day."""
        if self.barred_countries & set(self.purpose.countries):
            return _no("the dataset is barred from a country of the purpose")
        try:
            terms = events.terms_on(body, on)
        except ValueError as error:
            raise ConsentNotShown(f"an opening is of no consent: {error}") from error
        decision = decide(
            self.purpose,
            terms,
            on,
            signed_graph=_graph(body.get("mondo")),
            first_release=self.first_release,
            asked_until=self.asked_until,
        )
        if decision.verdict is Verdict.DENY or not self._is_settled(body, decision):
            return _no("; ".join(_in_the_way(decision)))
        wish = body.get("withheld")
        if not isinstance(wish, Mapping) or withheld_regions(wish, self.build) is None:
            return _no("what the donor keeps back cannot be carried out in this build")
        return Answer(is_permitted=True, why="")

    def _is_settled(self, body: Mapping[str, Any], decision: Decision) -> bool:
        rules = decision.versions["rules"]
        return all(
            (body.get("consent"), clause.code, rules) in self.resolved
            for clause in decision.clauses
            if clause.verdict is Verdict.REVIEW
        )


def check_versions(versions: Mapping[str, Any]) -> None:
    """Raise NothingChecked unless the decisions were made by the rules known here."""
    ours = {"rules": RULES_VERSION, "duo": duo.VERSION, "mondo": diseases.VERSION}
    for name, version in ours.items():
        if versions.get(name) != version:
            raise NothingChecked(
                f"the decisions were made by version {versions.get(name)} of {name}, "
                f"this program has {version}: use the one of that time"
            )


def purpose_of(value: object) -> Purpose:
    """Return the purpose of a manifest; raise DossierInvalid."""
    try:
        return Purpose.from_json(value)
    except ConsentError as error:
        raise DossierInvalid(f"the purpose cannot be read: {error}") from error


def _graph(version: object) -> DiseaseGraph | None:
    """Return the ontology that was signed; None for the current one, as it is asked."""
    if version == diseases.VERSION:
        return None
    try:
        return diseases.graph(str(version))
    except LookupError as error:
        raise NothingChecked(str(error)) from error


def _in_the_way(decision: Decision) -> list[str]:
    return [
        f"{clause.code}: {clause.reason}"
        for clause in decision.clauses
        if clause.verdict is decision.verdict
    ]


def _no(why: str) -> Answer:
    return Answer(is_permitted=False, why=why)
