"""A research purpose: what is asked for, by whom, where, under which promises.

`from_json` refuses what does not follow the schema; `read` takes anything and
keeps what is wrong as denying clauses, so that a decision never depends on a
caller's having checked first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from consent import reading
from consent.decision import JSON, Clause, deny
from consent.errors import PurposeInvalid
from consent.reading import shown, strings

RESEARCH_TYPES = (
    "general",
    "biomedical",
    "disease",
    "ancestry",
    "methods",
    "controls",
    "clinical",
)
ORGANISATIONS = ("non-profit", "for-profit")
ETHICS = ("verified", "unverified", "exempt", "expired")
AGREEMENTS = ("PUB", "MOR", "RTN")
# Any entry denies; these are the ones a form offers.
PROHIBITED = (
    "reidentification",
    "contact",
    "law_enforcement",
    "immigration",
    "insurance",
    "employment",
    "barred_country",
)
# The closed list of uses that a person must look at, with the spellings accepted.
SENSITIVE: Mapping[str, tuple[str, ...]] = {
    "stigmatising": (
        "stigmatizing",
        "stigma",
        "stigmatising_traits",
        "stigmatizing_traits",
    ),
    "mental_health": (
        "mental",
        "mental_health_traits",
        "mental_health_or_sexual_traits",
    ),
    "sexual_traits": (
        "sexual",
        "sexual_trait",
        "sexuality",
        "mental_health_or_sexual",
        "mental_or_sexual",
        "sexual_orientation",
    ),
    "vulnerable_groups": (
        "vulnerable",
        "vulnerable_group",
        "vulnerable_population",
        "vulnerable_populations",
    ),
    "children": ("child", "minors", "paediatric", "pediatric"),
    "reproductive_selection": ("reproductive", "reproduction", "embryo_selection"),
    "generative_models": (
        "generative",
        "generative_model",
        "generative_ai",
        "generative_training",
        "generative_model_training",
        "training_generative_models",
        "ai_training",
        "training_of_generative_models",
    ),
}
_SENSITIVE_SPELLINGS = {
    spelling: flag for flag, others in SENSITIVE.items() for spelling in (flag, *others)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One purpose. Lists are sorted and hold each value once: order never matters.

    `problems` are denying clauses about input that could not be read.
    """

    research_types: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    organisation: str | None = None
    commercial: bool | None = None
    countries: tuple[str, ...] = ()
    institution: str | None = None
    project: str | None = None
    users: tuple[str, ...] = ()
    ethics_approval: str | None = None
    collaboration_letter: bool | None = None
    agrees_to: tuple[str, ...] = ()
    uses_genetic_data: bool = True
    sensitive: tuple[str, ...] = ()
    prohibited: tuple[str, ...] = ()
    problems: tuple[Clause, ...] = field(default=())

    @classmethod
    def read(cls, data: JSON) -> Self:
        """Return the purpose in `data`, whatever it is; never raises."""
        if not isinstance(data, Mapping):
            problem = deny(
                "purpose",
                f"a purpose is an object of named fields, not {shown(data)}",
            )
            return cls(problems=(problem,))
        found, problems = reading.fields(
            data,
            _READERS,
            subject="purpose",
            unknown="a purpose has no field",
            unreadable=lambda key: (
                f"the purpose's field {key!r} cannot be read: "
                f"expected {_EXPECTED[_READERS[key]]}"
            ),
        )
        return cls(**found, problems=problems)

    @classmethod
    def from_json(cls, data: JSON) -> Self:
        """Return the purpose in `data`; raises PurposeInvalid with what is wrong."""
        purpose = cls.read(data)
        if purpose.problems:
            raise PurposeInvalid("; ".join(p.reason for p in purpose.problems))
        for found, known, what in (
            (purpose.research_types, RESEARCH_TYPES, "research type"),
            (purpose.sensitive, tuple(SENSITIVE), "sensitive use"),
            (purpose.prohibited, PROHIBITED, "prohibited use"),
        ):
            for value in found:
                if value not in known:
                    raise PurposeInvalid(
                        f"{shown(value)} is not a {what}; known are {', '.join(known)}"
                    )
        return purpose

    def to_json(self) -> dict[str, JSON]:
        """Return the schema's object, without what is absent."""
        found: dict[str, JSON] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "problems" or value is None or value == ():
                continue
            found[item.name] = list(value) if isinstance(value, tuple) else value
        return found


def _choice(*allowed: str) -> Callable[[JSON], str | None]:
    def read(value: JSON) -> str | None:
        return value if isinstance(value, str) and value in allowed else None

    _EXPECTED[read] = " or ".join(allowed)
    return read


def _flag(value: JSON) -> bool | None:
    # 1 and "true" are not true: nothing is inferred in anyone's favour.
    return value if isinstance(value, bool) else None


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _countries(value: JSON) -> tuple[str, ...] | None:
    found = strings(value)
    return None if found is None else strings([c.strip().upper() for c in found])


def _agreements(value: JSON) -> tuple[str, ...] | None:
    found = strings(value)
    return None if found is None or set(found) - set(AGREEMENTS) else found


def _sensitive(value: JSON) -> tuple[str, ...] | None:
    found = strings(value)
    if found is None:
        return None
    plain = [flag.strip().lower().replace("-", "_").replace(" ", "_") for flag in found]
    return strings([_SENSITIVE_SPELLINGS.get(flag, flag) for flag in plain])


_EXPECTED: dict[Callable[[JSON], JSON], str] = {
    strings: "a list of texts",
    _countries: "a list of country codes",
    _agreements: "a list of " + ", ".join(AGREEMENTS),
    _sensitive: "a list of flags",
    _flag: "true or false",
    _text: "a text",
}
_READERS: dict[JSON, Callable[[JSON], JSON]] = {
    "research_types": strings,
    "diseases": strings,
    "organisation": _choice(*ORGANISATIONS),
    "commercial": _flag,
    "countries": _countries,
    "institution": _text,
    "project": _text,
    "users": strings,
    "ethics_approval": _choice(*ETHICS),
    "collaboration_letter": _flag,
    "agrees_to": _agreements,
    "uses_genetic_data": _flag,
    "sensitive": _sensitive,
    "prohibited": strings,
}
