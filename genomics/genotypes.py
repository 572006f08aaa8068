"""Genotypes and the values beside them: read, renumber, shorten.

When ALT alleles go, GT is renumbered and every value counted per allele (A, R) or per
genotype (G, VCF 4.5 section 1.6.2) loses the entries of the gone ones. Values with a
wrong number of entries, or that are no numbers where numbers belong, become missing.
"""

import functools
import itertools
import math
import re
from collections.abc import Iterator, Mapping

from genomics.fields import FieldDefinition

MISSING = "."
# How the entries of HDS are counted: for each haplotype one for each ALT allele. VCF
# has no Number for that, so a header says "." of it.
HAPLOTYPES = "H"
NO_CALL = "./."
_GENOTYPE = re.compile(r"[/|]?(?:\d{1,9}|\.)(?:[/|](?:\d{1,9}|\.))*")
_NUMBER = re.compile(r"\d+")
_INTEGERS = re.compile(r"(?:[-+]?\d+|\.)(?:,(?:[-+]?\d+|\.))*")
# One way only to match each text: with two, a long list of numbers that ends in a
# letter would take time exponential in its length.
_FLOAT = (
    r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|[Ii][Nn][Ff](?:inity)?|[Nn][Aa][Nn])"
)
_FLOATS = re.compile(rf"(?:{_FLOAT}|\.)(?:,(?:{_FLOAT}|\.))*")
_ALL_MISSING = re.compile(r"\.?(?:,\.?)*")
BY_PLOIDY = ("G", HAPLOTYPES)
_PLOIDIES = range(1, 9)
_REMEMBERED = 20_000


@functools.lru_cache(maxsize=100_000)
def alleles_of(genotype: str) -> tuple[int, ...] | None:
    """Return allele numbers, -1 for missing ones, or None for what is no genotype.

    >>> alleles_of("0|2"), alleles_of("./1"), alleles_of("|1"), alleles_of("het")
    ((0, 2), (-1, 1), (1,), None)
    """
    if not _GENOTYPE.fullmatch(genotype):
        return (-1,) if genotype == "" else None
    parts = re.split(r"[/|]", genotype.lstrip("/|"))
    return tuple(-1 if part == MISSING else int(part) for part in parts)


def renumber(genotype: str, numbers: Mapping[int, int]) -> str:
    """Return a genotype with its alleles renumbered, phase as it was.

    >>> renumber("0|3", {0: 0, 3: 1})
    '0|1'
    """
    return _NUMBER.sub(lambda match: str(numbers[int(match[0])]), genotype) or MISSING


def ploidy_of(genotype: str) -> int | None:
    """Return how many alleles a genotype has, None for a lone missing one.

    Callers write `.` for a missing genotype of any ploidy.
    """
    alleles = alleles_of(genotype)
    return None if alleles in (None, (-1,)) else len(alleles or ())


@functools.lru_cache(maxsize=1_000)
def genotype_at(alt_count: int, ploidy: int, index: int) -> tuple[int, ...]:
    """Return the genotype that an entry of a value with Number=G speaks of.

    >>> genotype_at(2, 2, 4)
    (1, 2)
    """
    return tuple(_genotypes(alt_count + 1, ploidy))[index]


@functools.lru_cache(maxsize=10_000)
def picks(
    number: str, alt_count: int, kept: tuple[int, ...], ploidy: int
) -> tuple[int, tuple[int, ...]]:
    """Return how many entries a value has and which of them stay.

    `kept` holds the numbers (from 1) of the ALT alleles that stay, ascending.

    >>> picks("R", 3, (2,), 2), picks("G", 2, (2,), 2)
    ((4, (0, 2)), (6, (0, 3, 5)))
    """
    if number == "A":
        return alt_count, tuple(allele - 1 for allele in kept)
    if number == "R":
        return alt_count + 1, (0, *kept)
    if number == HAPLOTYPES:
        return alt_count * ploidy, tuple(
            haplotype * alt_count + allele - 1
            for haplotype in range(ploidy)
            for allele in kept
        )
    assert number == "G", "other numbers do not depend on alleles"
    staying = (0, *kept)
    return math.comb(alt_count + ploidy, ploidy), tuple(
        # Index(k1/../kP) = sum over m = 1..P of C(k_m + m - 1, m)
        sum(math.comb(staying[k] + m - 1, m) for m, k in enumerate(genotype, 1))
        for genotype in _genotypes(len(staying), ploidy)
    )


def count_of(definition: FieldDefinition) -> str:
    """Return how the entries of a field are counted: its Number, or by haplotypes."""
    return HAPLOTYPES if definition.id == "HDS" else definition.number


def guess_ploidy(number: str, entries: int, alt_count: int) -> int | None:
    """Return the ploidy at which a value has so many entries, None if there is none.

    >>> guess_ploidy("G", 3, 1), guess_ploidy("G", 3, 2), guess_ploidy("G", 4, 2)
    (2, 1, None)
    """
    for ploidy in _PLOIDIES:
        if picks(number, alt_count, (), ploidy)[0] == entries:
            return ploidy
    return None


class Shortener(dict[str, str]):
    """Maps values of one field to what is left of them; computed once for each value.

    One for each (field, ALT count, kept alleles, ploidy). `has_fraction` turns true
    once an Integer field has held a number with a fraction, as GQ of real files does.
    """

    def __init__(
        self,
        definition: FieldDefinition,
        alt_count: int,
        kept: tuple[int, ...],
        ploidy: int | None,
    ) -> None:
        super().__init__()
        self.has_fraction = False
        self._definition = definition
        self._number = count_of(definition)
        self._alt_count = alt_count
        self._kept = kept
        self._ploidy = ploidy
        self._whole = self._whole_pattern()

    def __missing__(self, value: str) -> str:
        if len(self) > _REMEMBERED:
            self.clear()
        if self._whole is not None and self._whole.fullmatch(value):
            self[value] = value
            return value
        self[value] = short = self._shorten(value)
        # Asked of what is left: an entry that goes must not show in the header.
        if self._definition.type == "Integer" and not _INTEGERS.fullmatch(short):
            self.has_fraction = True
        return short

    def _whole_pattern(self) -> re.Pattern[str] | None:
        """Return what most values look like where nothing is to be cut, if so."""
        number = self._number
        item = {"Integer": r"\d+", "Float": r"-?\d+(?:\.\d+)?"}.get(
            self._definition.type
        )
        if item is None or (number in BY_PLOIDY and self._ploidy is None):
            return None
        if number.isdigit():
            count = int(number)
        elif number == "." or len(self._kept) < self._alt_count:
            return None
        else:
            count, _ = picks(number, self._alt_count, self._kept, self._ploidy or 0)
        return re.compile(rf"{item}(?:,{item}){{{count - 1}}}") if count > 0 else None

    def _shorten(self, value: str) -> str:
        if _ALL_MISSING.fullmatch(value) or not self._is_well_formed(value):
            return MISSING
        number = self._number
        if number == ".":
            return value
        items = value.split(",")
        if number.isdigit():
            return value if len(items) == int(number) else MISSING
        ploidy = self._ploidy
        if number in BY_PLOIDY and ploidy is None:
            ploidy = guess_ploidy(number, len(items), self._alt_count)
            if ploidy is None:
                return MISSING
        count, staying = picks(number, self._alt_count, self._kept, ploidy or 0)
        if len(items) != count:
            return MISSING
        short = self._left(value, staying)
        return MISSING if _ALL_MISSING.fullmatch(short) else short

    def _left(self, value: str, staying: tuple[int, ...]) -> str:
        """Return a value of the right number of entries with those that stay."""
        items = value.split(",")
        return ",".join([items[index] for index in staying])

    def _is_well_formed(self, value: str) -> bool:
        if self._definition.type == "Integer":
            if _INTEGERS.fullmatch(value):
                return True
            return bool(_FLOATS.fullmatch(value))
        return self._definition.type != "Float" or bool(_FLOATS.fullmatch(value))


def _genotypes(alleles: int, ploidy: int) -> Iterator[tuple[int, ...]]:
    # The order of VCF 4.5 section 1.6.2: sorted by the last allele first.
    combinations = itertools.combinations_with_replacement(range(alleles), ploidy)
    return iter(sorted(combinations, key=lambda genotype: genotype[::-1]))
