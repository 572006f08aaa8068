"""Which INFO and FORMAT fields a release may hold, and what each of them means.

The definitions are this table's (VCF 4.3 to 4.5, sections 1.4 and 1.6) or the
steward's, never the source header's: a header line may name samples, and a header may
lie about a standard key's cardinality.
"""

import dataclasses
import re
from collections.abc import Mapping

from genomics.errors import JobInvalid
from genomics.jsonfields import JSON, Fields, list_of

FIELD_ID = re.compile(r"[A-Za-z_][0-9A-Za-z_.]{0,63}")
FIELD_NUMBER = re.compile(r"L?[ARG]|[.]|0|[1-9][0-9]{0,2}")
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
    definitions: tuple[FieldDefinition, ...],
    what: str,
    taken: tuple[str, ...],
    naming: Mapping[str, str],
) -> None:
    """Refuse a field named twice, one that is `taken`, and one of `naming`.

    `naming` has fields whose values name something, with what the values do.
    """
    ids = [definition.id for definition in definitions]
    if len(set(ids)) != len(ids):
        raise JobInvalid(f"expected each field once in {what}")
    for field_id in ids:
        if field_id in taken:
            raise JobInvalid(f"expected no {field_id} in {what}: it is always made")
        if reason := naming.get(field_id):
            raise JobInvalid(
                f"expected no {field_id} in {what}: its value {reason}, "
                "which may not be in the release"
            )


def _table(rows: str) -> dict[str, FieldDefinition]:
    definitions = {}
    for row in rows.strip().splitlines():
        field_id, number, kind, description = (part.strip() for part in row.split("|"))
        definitions[field_id] = FieldDefinition(
            id=field_id, number=number, type=kind, description=description
        )
    return definitions


# FORMAT fields that stay, in the order they are written. LAA comes second because
# VCF 4.5 wants it before every field but GT.
FORMAT = _table("""
    GT  | 1  | String  | Genotype
    LAA | .  | Integer | 1-based indices into ALT of the alleles local to the sample
    AD  | R  | Integer | Read depth for each allele
    DP  | 1  | Integer | Read depth
    GQ  | 1  | Integer | Conditional genotype quality
    PL  | G  | Integer | Phred-scaled genotype likelihoods
    GL  | G  | Float   | Genotype likelihoods, log10-scaled
    GP  | G  | Float   | Genotype posterior probabilities
    DS  | A  | Float   | Dosage of each alternate allele
    HDS | .  | Float   | Dosage of each alternate allele by haplotype
    EC  | A  | Integer | Expected counts of each alternate allele
    CN  | 1  | Integer | Copy number
    PS  | 1  | Integer | Phase set
    FT  | 1  | String  | Filter of this genotype
    LAD | LR | Integer | Local-allele representation of AD
    LPL | LG | Integer | Local-allele representation of PL
    LGL | LG | Float   | Local-allele representation of GL
    LGP | LG | Float   | Local-allele representation of GP
    LEC | LA | Integer | Local-allele representation of EC
""")

# Fields that a steward's list may add, whose cardinality the specification fixes.
RESERVED_FORMAT = _table("""
    ADF  | R  | Integer | Read depth for each allele on the forward strand
    ADR  | R  | Integer | Read depth for each allele on the reverse strand
    HQ   | 2  | Integer | Haplotype quality
    MQ   | 1  | Integer | RMS mapping quality
    PP   | G  | Integer | Phred-scaled genotype posterior probabilities
    PQ   | 1  | Integer | Phasing quality
    LADF | LR | Integer | Local-allele representation of ADF
    LADR | LR | Integer | Local-allele representation of ADR
    LPP  | LG | Integer | Local-allele representation of PP
""")

# INFO fields that stay: counts made anew, then what describes the allele itself.
INFO = _table("""
    AC      | A | Integer | Alternate allele counts in the genotypes of this file
    AF      | A | Float   | Alternate allele frequencies in the genotypes of this file
    AN      | 1 | Integer | Number of called alleles in the genotypes of this file
    NS      | 1 | Integer | Number of samples of this file with data
    END     | 1 | Integer | End position of the longest variant described in this record
    SVTYPE  | 1 | String  | Type of structural variant
    SVLEN   | A | Integer | Length of structural variant
    CN      | A | Float   | Copy number of the allele
    HOMLEN  | A | Integer | Length of base pair identical micro-homology at breakpoints
    HOMSEQ  | A | String  | Sequence of base pair identical micro-homology
""")
# Fields that are read and written under another name (LGT as GT, Hail's LA as LAA), and
# one that counts alleles by Hail's list: copied as they are, they would be wrong.
CONVERTED_FORMAT = ("LGT", "LA", "LPGT")
RECOUNTED_INFO = ("AC", "AF", "AN", "NS")


def format_fields(extra: tuple[FieldDefinition, ...]) -> dict[str, FieldDefinition]:
    """Return the FORMAT allow-list in the order of writing, the steward's part last."""
    return FORMAT | _reserve(extra, FORMAT | RESERVED_FORMAT)


def info_fields(extra: tuple[FieldDefinition, ...]) -> dict[str, FieldDefinition]:
    """Return the INFO allow-list in the order of writing, the steward's part last."""
    return INFO | _reserve(extra, INFO)


def _reserve(
    extra: tuple[FieldDefinition, ...], reserved: dict[str, FieldDefinition]
) -> dict[str, FieldDefinition]:
    # A standard key keeps its standard meaning, whatever a list or a header says.
    ordered = sorted(extra, key=lambda definition: definition.id)
    return {item.id: reserved.get(item.id, item) for item in ordered}
