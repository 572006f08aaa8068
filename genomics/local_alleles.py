"""Fields that count only the alleles local to a sample: LAA, LAD, LPL and the like.

VCF 4.5 section 1.6.2: LAA lists, by number in ALT, the alleles that the sample's other
local fields speak of, in their order. When ALT alleles go, LAA is renumbered and the
others lose the entries of the gone ones.
"""

import dataclasses
from collections.abc import Mapping

from genomics.fields import FieldDefinition
from genomics.genotypes import MISSING, Shortener

LIST = "LAA"


def is_local(definition: FieldDefinition) -> bool:
    """Whether the field is LAA or counts local alleles."""
    return definition.id == LIST or definition.number.startswith("L")


class LocalShortener:
    """Shortens the local fields of one sample at a time."""

    def __init__(self, definitions: Mapping[str, FieldDefinition]) -> None:
        # Seen from the sample, the local alleles are all there are.
        self._definitions = {
            field_id: dataclasses.replace(item, number=item.number.removeprefix("L"))
            for field_id, item in definitions.items()
            if item.number.startswith("L")
        }

    def shorten(
        self,
        values: Mapping[str, str],
        *,
        alt_count: int,
        numbers: Mapping[int, int],
        ploidy: int | None,
    ) -> dict[str, str]:
        """Return the values, LAA among them, with only the alleles in `numbers`.

        `numbers` maps old allele numbers to new ones. All become missing where LAA
        makes no sense.
        """
        local = _local_alleles(values[LIST], alt_count)
        if local is None:
            return dict.fromkeys(values, MISSING)
        staying = tuple(
            place for place, allele in enumerate(local, 1) if allele in numbers
        )
        short = {
            field_id: Shortener(
                self._definitions[field_id], len(local), staying, ploidy
            )[value]
            for field_id, value in values.items()
            if field_id != LIST
        }
        listed = [str(numbers[local[place - 1]]) for place in staying]
        return short | {LIST: ",".join(listed) or MISSING}


def _local_alleles(text: str, alt_count: int) -> tuple[int, ...] | None:
    if text in ("", MISSING):
        return ()  # VCF 4.5: only the reference is local
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    local = tuple(int(part) for part in parts)
    is_sound = len(set(local)) == len(local) and all(
        1 <= allele <= alt_count for allele in local
    )
    return local if is_sound else None
