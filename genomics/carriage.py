"""Tell which ALT alleles a sample carries where it has no called genotype.

GT decides, or LGT with its list of local alleles (`genomics.local_alleles`). For a
sample without a called allele its other values decide, in this order:

1. the most probable genotype in GP, or a dosage of at least 0.5 in DS, EC or LEC, or in
   HDS summed over haplotypes: any one of these makes a carrier;
2. CN, where it differs from two copies by at least a half. A build does not tell the
   ploidy of a person's X and Y, so two copies are assumed there as well. In a record
   with genotypes, CN decides only over symbolic alleles that stand for copies.

Other samples decide whether a record has GT, so each sample is judged by itself. The
answer is the text of a genotype that names each allele once, so that the rules of a
release read it as they read GT. It is never written.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from genomics.genotypes import (
    HAPLOTYPES,
    MISSING,
    genotype_at,
    guess_ploidy,
)
from genomics.lines import Version
from genomics.probabilities import DECIMAL, read

KEYS = ("GP", "DS", "HDS", "EC", "CN")
_CARRIED = 0.5  # of an allele, or of a copy
_COPIES = 2
_FLOAT = re.compile(DECIMAL, re.ASCII)
# Symbolic alleles of which a number of copies speaks, and those of fewer and of more.
_COPIED = re.compile(r"<(?:DEL|DUP|CNV|CN\d+)(?::[^>]*)?>")
_FEWER = re.compile(r"<(?:DEL(?::[^>]*)?|CN0)>")
_MORE = re.compile(r"<(?:DUP(?::[^>]*)?|CN(?:[2-9]|[1-9]\d+))>")
_REMEMBERED = 20_000


class Values(NamedTuple):
    """The values of one sample, "." where it has none."""

    gp: str
    ds: str
    hds: str
    ec: str
    cn: str


class Record(NamedTuple):
    """What the reading of a sample's values depends on: ALT and its genotype.

    `ploidy` is that of a genotype without a called allele, None where it is not known.
    """

    alts: tuple[str, ...]
    has_genotypes: bool
    ploidy: int | None


class CarriageReader:
    """Reads the values of samples; remembers those it has seen.

    `version` is the source's: it says on which scale GP is.
    """

    def __init__(self, version: Version) -> None:
        self._version = version
        self._known: dict[tuple[Values, Record], str] = {}

    def read(self, values: Values, record: Record) -> str:
        """Return the ALT numbers that a sample carries, as the text of a genotype.

        "0" stands for none of them, "." for values of which none can be read.
        """
        key = (values, record)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._read(*key)
        return known

    def _read(self, values: Values, record: Record) -> str:
        count = len(record.alts)
        answers = [
            self._by_probabilities(values.gp, count, record.ploidy),
            _by_dosage(values.ds, count),
            _by_haplotypes(values.hds, count, record.ploidy),
            _by_dosage(values.ec, count),
        ]
        sound = [answer for answer in answers if answer is not None]
        if sound:
            return _text(set().union(*sound))
        return _by_copies(values.cn, record)

    def _by_probabilities(
        self, value: str, alt_count: int, ploidy: int | None
    ) -> set[int] | None:
        probabilities = read(value, self._version)
        if probabilities is None:
            return None
        entries = probabilities.entries
        genotype_ploidy = _ploidy_of("G", len(entries), alt_count, ploidy)
        if genotype_ploidy is None:
            return None
        return set(genotype_at(alt_count, genotype_ploidy, entries.index(max(entries))))


def _ploidy_of(
    number: str, entries: int, alt_count: int, known: int | None
) -> int | None:
    """Return the ploidy of a value by its entries, None if the known one differs."""
    ploidy = guess_ploidy(number, entries, alt_count)
    return ploidy if known in (None, ploidy) else None


def _by_dosage(value: str, alt_count: int) -> set[int] | None:
    dosages = _numbers(value)
    return _dosed(dosages) if len(dosages) == alt_count else None


def _by_haplotypes(value: str, alt_count: int, ploidy: int | None) -> set[int] | None:
    dosages = _numbers(value)
    if not dosages or not alt_count:
        return None
    if _ploidy_of(HAPLOTYPES, len(dosages), alt_count, ploidy) is None:
        return None
    return _dosed([math.fsum(dosages[n::alt_count]) for n in range(alt_count)])


def _dosed(dosages: Sequence[float]) -> set[int]:
    return {number for number, dosage in enumerate(dosages, 1) if dosage >= _CARRIED}


def _by_copies(value: str, record: Record) -> str:
    """Return the ALT numbers that CN says a sample carries.

    >>> _by_copies("3", Record(("<DEL>", "<DUP>", "G"), True, 2))
    '2'
    >>> [_by_copies("3", Record(("G",), has_genotypes, 2)) for has_genotypes in (0, 1)]
    ['1', '0']
    """
    copies = _numbers(value)
    if len(copies) != 1:
        return MISSING
    difference = copies[0] - _COPIES
    if abs(difference) < _CARRIED:
        return _text(())
    spoken = {n for n, alt in enumerate(record.alts, 1) if _COPIED.fullmatch(alt)}
    if not spoken and not record.has_genotypes:
        spoken = set(range(1, len(record.alts) + 1))
    other = _MORE if difference < 0 else _FEWER
    fitting = {n for n in spoken if not other.fullmatch(record.alts[n - 1])}
    # If all stand for the other direction, it is unknown which is meant.
    return _text(fitting or spoken)


def _text(numbers: Iterable[int]) -> str:
    return "/".join(map(str, sorted(set(numbers) - {0}))) or "0"


def _numbers(value: str) -> list[float]:
    """Return the entries of a value, 0 for a missing one among others.

    Nothing is returned where all are missing, or one of them is no number.
    """
    items = value.split(",")
    if not all(item == MISSING or _FLOAT.fullmatch(item) for item in items):
        return []
    if all(item == MISSING for item in items):
        return []
    return [0.0 if item == MISSING else float(item) for item in items]
