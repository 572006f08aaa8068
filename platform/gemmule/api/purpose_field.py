"""A purpose in DUO terms as the API takes it, described field by field.

What the values mean is `consent.purpose`; they are checked by `access.purposes`.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from consent import purpose


def _one_of(values: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _some(item: dict[str, Any], description: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "array", "items": item}
    return found | ({"description": description} if description else {})


PURPOSE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "research_types": _some(_one_of(purpose.RESEARCH_TYPES)),
        "diseases": _some(
            {"type": "string", "pattern": "^MONDO:[0-9]{7}$"},
            "A purpose needs a research type or a disease before it is submitted.",
        ),
        "organisation": _one_of(purpose.ORGANISATIONS),
        "commercial": {"type": "boolean"},
        "countries": _some(
            {"type": "string", "pattern": "^[A-Z]{2}$"},
            "ISO 3166 codes of every site, collaborator and place of storage.",
        ),
        "ethics_approval": _one_of(("unverified", "exempt", "expired", "verified"))
        | {"description": "Only the IRB turns `unverified` into `verified`."},
        "collaboration_letter": {"type": "boolean"},
        "agrees_to": _some(_one_of(purpose.AGREEMENTS)),
        "uses_genetic_data": {"type": "boolean", "default": True},
        "sensitive": _some(_one_of(tuple(purpose.SENSITIVE))),
        "prohibited": _some(
            _one_of(purpose.PROHIBITED), "Any entry is denied by every consent."
        ),
    },
}


@extend_schema_field(PURPOSE_SCHEMA)
class PurposeField(serializers.DictField):
    """An object of named answers; `access.purposes` says which are wrong and why."""
