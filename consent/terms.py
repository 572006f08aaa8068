"""A donor's terms: one permission, its diseases, modifiers, and the consent's state.

`from_json` refuses terms that no form could have produced; `read` takes anything
and keeps what is wrong as denying clauses, so that a stored or foreign consent is
always decided and never widened by being damaged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from consent import reading
from consent.decision import JSON, Clause, deny
from consent.duo import MODIFIERS, PERMISSIONS
from consent.errors import TermsInvalid
from consent.reading import day, shown, strings

ACTIVE = "active"
STATES = (ACTIVE, "paused", "withdrawn", "expired", "refused", "superseded")

# Addresses under which the same identifier is often written.
_REGISTRIES = ("https://orcid.org/", "https://ror.org/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one donor allows. `diseases` counts under DS alone.

    A modifier is there when its value is neither null nor false. Without a `state`
    the terms are taken as those of an active consent: who decides over stored
    consents passes the state (`Consent.to_terms` does).
    """

    permission: str | None
    diseases: tuple[str, ...] = ()
    modifiers: Mapping[str, JSON] = field(default_factory=dict)
    state: str = ACTIVE
    problems: tuple[Clause, ...] = ()

    @classmethod
    def read(cls, data: JSON) -> Self:
        """Return the terms in `data`, whatever it is; never raises."""
        if not isinstance(data, Mapping):
            problem = deny(
                "terms", f"terms are an object of named fields, not {shown(data)}"
            )
            return cls(permission=None, problems=(problem,))
        found, problems = reading.fields(
            data,
            _READERS,
            subject="terms",
            unknown="terms have no field",
            unreadable=lambda key: f"the consent's field {key!r} cannot be read",
        )
        return cls(**{"permission": None, **found}, problems=problems)

    @classmethod
    def from_json(cls, data: JSON) -> Self:
        """Return the terms in `data`; raises TermsInvalid with what is wrong.

        Whether the diseases exist is asked of `consent.diseases` by who gives them.
        """
        terms = cls.read(data)
        terms.check()
        return terms

    def check(self) -> None:
        """Raise TermsInvalid unless a donor could have meant these terms."""
        if self.problems:
            raise TermsInvalid("; ".join(p.reason for p in self.problems))
        if self.permission not in PERMISSIONS:
            raise TermsInvalid(
                f"expected one permission of {', '.join(PERMISSIONS)}, "
                f"got {shown(self.permission)}"
            )
        if self.state not in STATES:
            raise TermsInvalid(f"unknown consent state {shown(self.state)}")
        if (self.permission == "DS") != bool(self.diseases):
            raise TermsInvalid(
                "diseases belong to the permission DS, which needs at least one; "
                f"got {len(self.diseases)} with {self.permission}"
            )
        for code, value in self.chosen().items():
            if code not in MODIFIERS:
                raise TermsInvalid(f"unknown modifier {shown(code)}")
            if not _is_complete(code, value):
                raise TermsInvalid(
                    f"the modifier {code} cannot be read: "
                    f"expected {EXPECTED.get(code, 'true')}"
                )

    def to_json(self) -> dict[str, JSON]:
        """Return the schema's object, lists and codes in a fixed order."""
        return {
            "permission": self.permission,
            "diseases": list(self.diseases),
            "modifiers": {
                code: _plain(value) for code, value in sorted(self.chosen().items())
            },
            "state": self.state,
        }

    def chosen(self) -> dict[str, JSON]:
        """Return the modifiers that are set.

        An unknown code stays in, even when null: it is refused by name.
        """
        return {
            code: value
            for code, value in self.modifiers.items()
            if code not in MODIFIERS or (value is not None and value is not False)
        }


EXPECTED: Mapping[str, str] = {
    "GS": "a list of country codes",
    "US": "a list of ORCID iDs",
    "PS": "a list of project ids",
    "IS": "a list of ROR ids",
    "TS": "a number of months, 1 or more",
    "MOR": "a date, YYYY-MM-DD",
}


def countries(value: JSON) -> frozenset[str] | None:
    """Return the country codes of GS, or None where they cannot be read."""
    found = strings(value)
    if found is None:
        return None
    return frozenset(country.strip().upper() for country in found)


def identifiers(value: JSON) -> frozenset[str] | None:
    """Return the members that US, PS or IS list, or None for an unusable list.

    Unusable are an empty list, and words meant for people ("the lung group"): an
    identifier holds no blanks.
    """
    found = strings(value)
    if not found or any(" " in item.strip() for item in found):
        return None
    return frozenset(canonical(item) for item in found)


def canonical(identifier: str) -> str:
    """Return an identifier without its registry's address.

    >>> canonical("https://orcid.org/0000-0002-1825-0097")
    '0000-0002-1825-0097'
    """
    bare = identifier.strip()
    for address in _REGISTRIES:
        bare = bare.removeprefix(address)
    return bare


def months(value: JSON) -> int | None:
    """Return the months of TS, or None where they cannot be read."""
    # bool is an int in Python; TS true names no number of months.
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def _is_complete(code: str, value: JSON) -> bool:
    match code:
        case "GS":
            return bool(countries(value))
        case "US" | "PS" | "IS":
            return identifiers(value) is not None
        case "TS":
            return (months(value) or 0) >= 1
        case "MOR":
            return day(value) is not None
        case _:
            return value is True


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _modifiers(value: JSON) -> dict[str, JSON] | None:
    return dict(value) if isinstance(value, Mapping) else None


def _plain(value: JSON) -> JSON:
    found = strings(value)
    return value if found is None else list(found)


_READERS: dict[JSON, Callable[[JSON], JSON]] = {
    "permission": _text,
    "diseases": strings,
    "modifiers": _modifiers,
    "state": _text,
}
