"""Say in plain words what the machine holds as codes: purposes, verdicts, states."""

from collections.abc import Mapping
from typing import Any

from consent import countries, diseases
from gemmule.access.models import RequestState, ReviewDecision
from gemmule.releases.models import ReleaseState

RESEARCH_TYPES = {
    "general": "Any kind of research",
    "biomedical": "Health, medical or biomedical research",
    "disease": "Research on particular diseases",
    "ancestry": "Ancestry or population origins",
    "methods": "Developing methods or software",
    "controls": "Comparison group (controls)",
    "clinical": "Care of patients",
}
AGREEMENTS = {
    "PUB": "publish the results for everyone to read",
    "MOR": "keep results back until the date a donor asks for",
    "RTN": "return derived data to the dataset",
}
SENSITIVE = {
    "stigmatising": "Traits that carry stigma",
    "mental_health": "Mental health traits",
    "sexual_traits": "Sexual traits",
    "vulnerable_groups": "Vulnerable groups",
    "children": "Children",
    "reproductive_selection": "Choosing embryos or partners",
    "generative_models": "Training generative models",
}
ETHICS = {
    "verified": "Approval seen by the IRB",
    "unverified": "Approval claimed, not seen yet",
    "exempt": "Claimed exempt",
    "expired": "Approval expired",
}
PROHIBITED = {
    "reidentification": "Finding out who a donor is",
    "contact": "Contacting donors",
    "law_enforcement": "Law enforcement",
    "immigration": "Immigration control",
    "insurance": "Decisions on insurance",
    "employment": "Decisions on employment",
    "barred_country": "Use in a barred country",
}
_TONES = {
    RequestState.DRAFT: "waiting",
    RequestState.SUBMITTED: "attention",
    RequestState.COUNTERSIGNING: "attention",
    RequestState.RETURNED: "attention",
    RequestState.APPROVED: "good",
    RequestState.DENIED: "stop",
    ReleaseState.REQUESTED: "waiting",
    ReleaseState.BUILDING: "waiting",
    ReleaseState.SEALED: "waiting",
    ReleaseState.AVAILABLE: "good",
    ReleaseState.SUSPENDED: "attention",
    ReleaseState.REVOKED: "stop",
    ReleaseState.FAILED: "stop",
    ReviewDecision.APPROVE: "good",
    ReviewDecision.ETHICS: "good",
    ReviewDecision.PROPOSE: "attention",
    ReviewDecision.RETURN: "attention",
    ReviewDecision.DENY: "stop",
}


def tone(state: str) -> str:
    """Return the tone in which a state or decision is shown; its word says the rest."""
    return next((word for known, word in _TONES.items() if known == state), "waiting")


def time_left(seconds: int) -> str:
    """Return a span of time as roughly as an estimate deserves.

    >>> time_left(20), time_left(60), time_left(200), time_left(9000)
    ('less than a minute', 'about 1 minute', 'about 3 minutes', 'about 3 hours')
    """
    if seconds < 45:
        return "less than a minute"
    minutes = max(1, round(seconds / 60))
    number, unit = (
        (minutes, "minute") if minutes < 90 else (round(minutes / 60), "hour")
    )
    return f"about {number} {unit}{'' if number == 1 else 's'}"


def purpose(stated: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return a purpose as (question, answers), in the order people ask."""
    graph, names = diseases.graph(), countries.names()
    found: list[tuple[str, list[str]]] = [
        (
            "Research",
            [RESEARCH_TYPES[name] for name in stated.get("research_types", [])],
        ),
        (
            "Diseases",
            [f"{graph.label(name)} ({name})" for name in stated.get("diseases", [])],
        ),
        ("Organisations", [_organisation(stated)]),
        ("Countries", [names.get(code, code) for code in stated.get("countries", [])]),
        ("Ethics approval", [ETHICS.get(stated.get("ethics_approval", ""), "None")]),
        ("Collaboration", _collaboration(stated)),
        ("Agrees to", [AGREEMENTS[code] for code in stated.get("agrees_to", [])]),
        ("Sensitive", [SENSITIVE.get(f, f) for f in stated.get("sensitive", [])]),
        ("Prohibited", [PROHIBITED.get(f, f) for f in stated.get("prohibited", [])]),
        ("Genetic data", _genetic_data(stated)),
    ]
    return [(question, answers) for question, answers in found if answers]


def _collaboration(stated: Mapping[str, Any]) -> list[str]:
    if not stated.get("collaboration_letter"):
        return []
    return ["A letter of collaboration with the makers of the dataset"]


def _genetic_data(stated: Mapping[str, Any]) -> list[str]:
    return [] if stated.get("uses_genetic_data", True) else ["No genetic data are used"]


def _organisation(stated: Mapping[str, Any]) -> str:
    who = {
        "non-profit": "all non-profit",
        "for-profit": "at least one for-profit",
    }.get(stated.get("organisation", ""), "not stated")
    commercial = stated.get("commercial")
    use = "commercial use not stated"
    if commercial is not None:
        use = "commercial use" if commercial else "no commercial use"
    return f"{who}; {use}"
