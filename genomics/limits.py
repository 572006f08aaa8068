"""How large an upload may be."""

import dataclasses

from genomics.jsonfields import JSON, Fields


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an upload may be; intake refuses what is larger (sizes in bytes)."""

    source_bytes: int = 64 << 30
    plain_bytes: int = 1 << 40
    ratio: int = 1100  # gzip reaches 1028:1, BGZF 622:1: more is not a VCF
    header_bytes: int = 64 << 20
    line_bytes: int = 64 << 20
    samples: int = 200_000
    contigs: int = 100_000
    alleles: int = 1_000  # of one record, REF included
    records: int = 500_000_000

    def to_json(self) -> dict[str, JSON]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> "Limits":
        fields = Fields(value, "limits")
        limits = cls(
            **{f.name: fields.integer(f.name) for f in dataclasses.fields(cls)}
        )
        fields.finish()
        return limits
