"""Fields that count only the alleles local to a sample: LGT, LAD, LPL and the like.

VCF 4.5 section 1.6.2: LAA lists, by number in ALT, the alleles that the sample's other
local fields speak of, in their order. Hail's LA lists the reference, 0, before them.
When ALT alleles go, the list is renumbered and the others lose the entries of the gone
ones. LGT counts alleles by their place in the list, 0 for the reference.
"""

import dataclasses
import re
from collections.abc import Mapping

from genomics.fields import FORMAT, FieldDefinition
from genomics.genotypes import MISSING, NO_CALL, alleles_of
from genomics.lines import Version
from genomics.probabilities import shortener

LIST, HAIL_LIST, GENOTYPE, COUNTS = "LAA", "LA", "LGT", "LEC"
# Those of a release, and LGT: without a list they cannot be read.
FIELDS = (GENOTYPE, *(key for key, item in FORMAT.items() if item.number[0] == "L"))
_NUMBER = re.compile(r"\d+")


def is_local(definition: FieldDefinition) -> bool:
    """Whether the field is LAA or counts local alleles."""
    return definition.id == LIST or definition.number.startswith("L")


def listed(text: str, alt_count: int, *, is_hail: bool) -> tuple[int, ...] | None:
    """Return the numbers in ALT that LAA, or Hail's LA, lists; None for no such list.

    >>> listed("1,3", 3, is_hail=False), listed("0,1,3", 3, is_hail=True)
    ((1, 3), (1, 3))
    >>> listed("1,3", 3, is_hail=True)
    """
    if text in ("", MISSING):
        return ()  # VCF 4.5: only the reference is local
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    local = tuple(int(part) for part in parts)
    if is_hail:
        if local[0] != 0:
            return None
        local = local[1:]
    is_sound = len(set(local)) == len(local) and all(
        1 <= allele <= alt_count for allele in local
    )
    return local if is_sound else None


def genotype_of(text: str, local: tuple[int, ...] | None) -> str:
    """Return the genotype that LGT means, phase as it was.

    >>> genotype_of("0|2", (1, 3)), genotype_of("0/3", (1, 3))
    ('0|3', './.')
    """
    alleles = alleles_of(text)
    if alleles is None or local is None or max(alleles) > len(local):
        return NO_CALL
    numbers = (0, *local)
    return _NUMBER.sub(lambda match: str(numbers[int(match[0])]), text) or MISSING


def counts_of(text: str, local: tuple[int, ...] | None, alt_count: int) -> str:
    """Return the value of EC that LEC means, "." for alleles that are not local.

    >>> counts_of("2,0", (1, 3), 3), counts_of("2", (1, 3), 3)
    ('2,.,0', '.')
    """
    items = text.split(",")
    if local is None or len(items) != len(local):
        return MISSING
    counts = dict(zip(local, items, strict=True))
    return ",".join(counts.get(number, MISSING) for number in range(1, alt_count + 1))


class LocalShortener:
    """Shortens the local fields of one sample at a time."""

    def __init__(
        self, definitions: Mapping[str, FieldDefinition], version: Version
    ) -> None:
        self._version = version
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
        local: tuple[int, ...] | None,
        numbers: Mapping[int, int],
        ploidy: int | None,
    ) -> dict[str, str]:
        """Return LAA and the values with only the alleles in `numbers`.

        `local` are the alleles that the sample's list names, `numbers` maps old allele
        numbers to new ones. All become missing where the list makes no sense.
        """
        if local is None:
            return {LIST: MISSING} | dict.fromkeys(values, MISSING)
        staying = tuple(
            place for place, allele in enumerate(local, 1) if allele in numbers
        )
        short = {
            field_id: shortener(
                self._definitions[field_id],
                len(local),
                staying,
                ploidy,
                self._version,
            )[value]
            for field_id, value in values.items()
        }
        left = [str(numbers[local[place - 1]]) for place in staying]
        return short | {LIST: ",".join(left) or MISSING}
