"""Genotype probabilities (GP, LGP): find the scale of each value, convert and cut it.

VCF 4.1 and 4.2 scale GP by Phred, in VCF 4.3 and later GP runs from 0 to 1, and
imputation programs have always written 0 to 1. So each value is judged by itself. A
value on neither scale becomes missing: no number is released under another meaning.

Source: VCF 4.2 section 1.4.2 and VCF 4.3 section 1.6.2, GP.
"""

import functools
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from genomics.fields import FieldDefinition
from genomics.genotypes import MISSING, Shortener
from genomics.lines import Version

FIELDS = ("GP", "LGP")
# The last version in which GP is scaled by Phred, and the first in which it is not.
LAST_PHRED: Version = (4, 2)
_LINEAR: Version = (4, 3)
# How far a sum may be from 1, for each entry: programs round to two digits. The rest
# is for what binary fractions round.
_TOLERANCE, _ROUNDING = 0.01, 1e-9
DECIMAL = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBER = rf"(?:{DECIMAL}|\+?[Ii][Nn][Ff](?:inity)?)"
_NUMBERS = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*", re.ASCII)
_NOTHING = re.compile(rb"\.?(?:,\.?)*")


class Probabilities(NamedTuple):
    """The entries of a value, from 0 to 1, and whether they were scaled by Phred."""

    entries: tuple[float, ...]
    is_converted: bool


def read(value: str, version: Version) -> Probabilities | None:
    """Return the probabilities that a value of GP means, None where it has no scale.

    `version` is that of the file.

    >>> read("0.01,0.96,0.03", (4, 2))
    Probabilities(entries=(0.01, 0.96, 0.03), is_converted=False)
    >>> write(read("43.0,0.00022,46.0", (4, 2)).entries)
    '5.01175e-05,0.999925,2.51182e-05'
    >>> read("43.0,0.00022,46.0", (4, 3))
    """
    if not _NUMBERS.fullmatch(value):
        return None
    entries = tuple(float(item) for item in value.split(","))
    lowest = min(entries)
    if lowest < 0:
        return None
    distance = abs(math.fsum(entries) - 1)
    is_whole = distance <= _TOLERANCE * len(entries) + _ROUNDING
    if max(entries) <= 1:
        return Probabilities(entries, is_converted=False) if is_whole else None
    # An entry just above 1 in a sum of 1 can be read two ways.
    if is_whole or version > LAST_PHRED or math.isinf(lowest):
        return None
    # p = 10^(-x / 10), of the distance to the smallest, so that the sum is never 0.
    weights = [10 ** ((lowest - entry) / 10) for entry in entries]
    return Probabilities(normalised(weights), is_converted=True)


def write(entries: Sequence[float]) -> str:
    """Return probabilities as a release has those that it computes.

    >>> write([0.25, 2 / 3, 0])
    '0.25,0.666667,0'
    """
    return ",".join(format(entry, ".6g") for entry in entries)


def normalised(weights: Sequence[float]) -> tuple[float, ...]:
    """Return weights, not all of them 0, as parts of 1."""
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def is_readable(value: bytes, version: Version) -> bool:
    """Whether a value of a file of this version is missing or has a scale."""
    if _NOTHING.fullmatch(value):
        return True
    return value.isascii() and read(value.decode("ascii"), version) is not None


@functools.lru_cache(maxsize=1 << 16)
def stays(value: bytes) -> bool:
    """Whether a value is released unchanged if all alleles stay."""
    # Values scaled by Phred are converted; no version after 4.2 has them.
    return is_readable(value, _LINEAR)


class ProbabilityShortener(Shortener):
    """Maps values of GP or LGP to what is left of them.

    The remaining genotypes are normalised to the sum 1. A value that need not change
    stays as it was written.
    """

    def __init__(
        self,
        definition: FieldDefinition,
        alt_count: int,
        kept: tuple[int, ...],
        ploidy: int | None,
        version: Version,
    ) -> None:
        super().__init__(definition, alt_count, kept, ploidy)
        self._whole = None  # each value is judged
        self._version = version

    def _left(self, value: str, staying: tuple[int, ...]) -> str:
        probabilities = read(value, self._version)
        if probabilities is None:
            return MISSING
        left = [probabilities.entries[place] for place in staying]
        gone = set(range(len(probabilities.entries))).difference(staying)
        if not probabilities.is_converted and not any(
            probabilities.entries[place] for place in gone
        ):
            return super()._left(value, staying)
        return write(normalised(left)) if any(left) else MISSING


def shortener(
    definition: FieldDefinition,
    alt_count: int,
    kept: tuple[int, ...],
    ploidy: int | None,
    version: Version,
) -> Shortener:
    """Return what shortens the values of a field in a file of this version."""
    if definition.id in FIELDS:
        return ProbabilityShortener(definition, alt_count, kept, ploidy, version)
    return Shortener(definition, alt_count, kept, ploidy)
