"""Which INFO and FORMAT fields a release may hold, and what each of them means.

The definitions are this table's (VCF 4.3 to 4.5, sections 1.4 and 1.6) or the
steward's, never the source header's: a header line may name samples, and a header may
lie about a standard key's cardinality.
"""

import dataclasses
import re

from genomics.errors import JobInvalid
from genomics.jsonfields import JSON, Fields, list_of

FIELD_ID = re.compile(r"[A-Za-z_][0-9A-Za-z_.]{0,63}")
FIELD_NUMBER = re.compile(r"[ARG.]|0|[1-9][0-9]{0,2}")
FIELD_TYPES = ("Integer", "Float", "Flag", "Character", "String")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """An INFO or FORMAT field that the steward's list adds to the allow-list.

    The definition is the steward's, never the source header's: a header line may name
    samples. Example: `FieldDefinition(id="GD", number="1", type="Float",
    description="Genotype dosage")`.
    """

    id: str
    number: str
    type: str
    description: str

    def __post_init__(self) -> None:
        if not FIELD_ID.fullmatch(self.id):
            raise JobInvalid("expected a VCF field id such as 'GD' in a definition")
        if not FIELD_NUMBER.fullmatch(self.number):
            raise JobInvalid(f"expected Number A, R, G, . or a count for {self.id}")
        if self.type not in FIELD_TYPES:
            raise JobInvalid(f"expected one of {FIELD_TYPES} as Type of {self.id}")
        if not self.description.isprintable() or len(self.description) > 500:
            raise JobInvalid(f"expected a printable line as description of {self.id}")

    def to_json(self) -> dict[str, JSON]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> "FieldDefinition":
        fields = Fields(value, "field definition")
        definition = cls(
            **{f.name: fields.text(f.name) for f in dataclasses.fields(cls)}
        )
        fields.finish()
        return definition


def definitions_of(value: JSON) -> tuple[FieldDefinition, ...]:
    """Return a JSON list as field definitions."""
    items = list_of(value, "field definitions")
    return tuple(FieldDefinition.from_json(item) for item in items)


def check_definitions(
    definitions: tuple[FieldDefinition, ...], what: str, taken: tuple[str, ...]
) -> None:
    """Refuse a field named twice, or one of those that are `taken`."""
    ids = [definition.id for definition in definitions]
    if len(set(ids)) != len(ids):
        raise JobInvalid(f"expected each field once in {what}")
    for field_id in ids:
        if field_id in taken:
            raise JobInvalid(f"expected no {field_id} in {what}: it is always made")
