"""What a project wants the data for, from the researcher's fields to DUO terms.

The schema is that of `consent.policy`; what the system knows better than the
researcher (institution, project, people, ethics papers) is filled in here and
never taken from her.
"""

from collections.abc import Mapping
from typing import Any

from consent import countries, diseases
from consent.errors import PurposeInvalid
from consent.policy import Purpose
from gemmule.access.errors import RequestInvalid
from gemmule.access.models import AccessRequest

# What a researcher states herself.
STATED = frozenset(
    {
        "research_types",
        "diseases",
        "organisation",
        "commercial",
        "countries",
        "ethics_approval",
        "collaboration_letter",
        "agrees_to",
        "uses_genetic_data",
        "sensitive",
        "prohibited",
    }
)
# Verified is the IRB's word, never the researcher's.
CLAIMABLE_ETHICS = frozenset({None, "unverified", "exempt", "expired"})
_DUO_OF_TYPE = {
    "general": "GRU",
    "biomedical": "HMB",
    "disease": "DS",
    "ancestry": "POA",
    "clinical": "CC",
}


def stated_purpose(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the researcher's part of a purpose, checked; unknown keys are refused."""
    unknown = sorted(set(fields) - STATED)
    if unknown:
        raise RequestInvalid(
            f"a purpose has no field {unknown[0]!r}; "
            f"known are {', '.join(sorted(STATED))}",
            field="purpose",
        )
    if fields.get("ethics_approval") not in CLAIMABLE_ETHICS:
        raise RequestInvalid(
            "ethics_approval can be unverified, exempt or expired; "
            "the IRB turns unverified into verified",
            field="ethics_approval",
        )
    stated = {key: value for key, value in fields.items() if value not in (None, [])}
    try:
        read = Purpose.from_json(stated).to_json()
    except PurposeInvalid as error:
        raise RequestInvalid(str(error), field="purpose") from error
    # As it was read, or a country in small letters would slip past a bar on it.
    stated = {key: read[key] for key in stated}
    _check_diseases(stated.get("diseases", []))
    _check_countries(stated.get("countries", []))
    return stated


def check_complete(stated: Mapping[str, Any]) -> None:
    """Refuse a purpose on which nobody could decide."""
    if not stated.get("research_types") and not stated.get("diseases"):
        raise RequestInvalid(
            "say what the research is: choose at least one research type or disease",
            field="research_types",
        )
    if not stated.get("countries"):
        raise RequestInvalid(
            "name the countries of all sites, collaborators and storage",
            field="countries",
        )
    if not stated.get("organisation"):
        raise RequestInvalid(
            "say whether every organisation taking part is non-profit",
            field="organisation",
        )


def full_purpose(request: AccessRequest) -> Purpose:
    """Return the purpose `decide` runs on: what was stated and what we know."""
    stated = dict(request.purpose)
    project = request.project
    if project.institution.ror:
        stated["institution"] = project.institution.ror
    stated["project"] = project.accession
    people = project.members.exclude(orcid="").values_list("orcid", flat=True)
    stated["users"] = sorted(people)
    return Purpose.from_json(stated)


def _check_diseases(names: list[str]) -> None:
    known = diseases.graph()
    for name in names:
        if known.resolve(name) is None:
            raise RequestInvalid(
                f"{name} is not a disease of MONDO {known.version}; "
                "search for it by name and choose from the list",
                field="diseases",
            )


def _check_countries(codes: list[str]) -> None:
    for code in codes:
        if code not in countries.names():
            raise RequestInvalid(
                f"{code[:20]} is not a country; name each by its two letters "
                "(ISO 3166), such as SE",
                field="countries",
            )


def duo_codes(request: AccessRequest) -> list[str]:
    """Return the DUO codes of the request, for the public part of its entry."""
    types = set(request.purpose.get("research_types", []))
    if request.purpose.get("diseases"):
        types.add("disease")
    return sorted(_DUO_OF_TYPE[name] for name in types if name in _DUO_OF_TYPE)
