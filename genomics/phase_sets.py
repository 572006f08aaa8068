"""Read phase marks and phase sets of a source, and number the sets for a release.

Phasing tools name a set after the position of its first heterozygote, which a release
may not hold. So a release has numbers of its own: for each sample and contig from 1, in
the order in which its records first show a set. They depend on the records that the
release holds for the sample, never on the source's names. Where a set is cut is decided
by `genomics.boundaries`.

Sources: VCF 4.3 and 4.4, section 1.6.2 (GT, PS, PSL).
"""

import bisect
import functools
import hashlib
from array import array
from typing import NamedTuple

from genomics.genotypes import MISSING

# Stands in the cells of a record for a number that is filled in later; not in any VCF.
SLOT = "\0"
_SLOT = SLOT.encode("ascii")
_MOST_DIGITS = 18  # of a number below 2^63
_LISTED = "\t"  # before a name of PSL, whose names are not those of PS


class Genotype(NamedTuple):
    """A genotype as VCF 4.3 writes it, and which of its alleles are phased.

    `phased` are places in the genotype, from 0.
    """

    text: str
    phased: tuple[int, ...]
    ploidy: int


class Unnumbered(NamedTuple):
    """The sets that a record's cells name, one for each `SLOT`, in their order.

    `line` is the record's in the store: records that are otherwise alike keep the order
    that they have there. `sets` are (sample's column in the release, name, stretch):
    the same name in two stretches of a contig means two sets.
    """

    line: int
    sets: tuple[tuple[int, str, int], ...]


@functools.lru_cache(maxsize=100_000)
def as_written(genotype: str) -> Genotype:
    """Return a genotype without the mark that VCF 4.4 may put before the first allele.

    The mark is removed if the others imply it: "/" if any of them is "/", else "|".
    Otherwise VCF 4.3 has no notation for it, and nothing stays phased.

    >>> as_written("|0|1").text, as_written("|0/1").text, as_written("/0|1").text
    ('0|1', '0/1', '0/1')
    >>> as_written("|1").phased, as_written("/1").phased, as_written("0/1|2").phased
    ((0,), (), (2,))
    """
    leading = genotype[:1] if genotype.startswith(("/", "|")) else ""
    text = genotype[len(leading) :]
    marks = [letter for letter in text if letter in "/|"]
    implied = "/" if "/" in marks else "|"
    ploidy = len(marks) + 1
    if leading and leading != implied:
        return Genotype(_unphased(text), (), ploidy)
    if text in ("", MISSING):  # of any ploidy
        return Genotype(text, (), ploidy)
    each = enumerate([implied, *marks])
    phased = tuple(place for place, mark in each if mark == "|")
    return Genotype(text, phased, ploidy)


@functools.lru_cache(maxsize=20_000)
def read(genotype: str, name: str, names: str) -> tuple[str, str | None]:
    """Return a genotype as written, and the name of its phase set, if it has one.

    `name` is its PS, of any type, and `names` its PSL: one for each allele. Where the
    phased alleles of a genotype are not all of one set, PS cannot say so, and the
    genotype becomes unphased.

    >>> read("0|1", "HOMVAR", "."), read("0/1", "17", ".")
    (('0|1', 'HOMVAR'), ('0/1', None))
    >>> read("0|1", ".", "a,b")
    ('0/1', None)
    """
    parsed = as_written(genotype)
    if not parsed.phased:
        return parsed.text, None
    if not is_name(names):
        return parsed.text, name if is_name(name) else None
    listed = names.split(",")
    # A genotype must not have both PS and PSL (VCF 4.4, section 1.6.2).
    if len(listed) == parsed.ploidy and not is_name(name):
        own = {listed[place] for place in parsed.phased}
        if len(own) == 1 and is_name(only := own.pop()):
            return parsed.text, _LISTED + only
    return _unphased(parsed.text), None


def is_name(value: str) -> bool:
    """Whether a value of PS or PSL names a set; lists of missing names do not."""
    return bool(value.strip(".,"))


class PhaseSets:
    """Numbers the sets of one contig after another, in the order of the release.

    It takes 12 bytes for each set of a sample, until the contig or a stretch ends.
    """

    def __init__(self) -> None:
        self._contig = ""
        self._samples: dict[int, _SampleSets] = {}

    def number(self, contig: str, cells: bytes, unnumbered: Unnumbered) -> bytes:
        """Return the cells of the contig's next record with all numbers filled in."""
        if contig != self._contig:
            self._contig = contig
            self._samples.clear()
        text, *others = cells.split(_SLOT)
        pieces = [text]
        for (column, name, stretch), after in zip(unnumbered.sets, others, strict=True):
            sets = self._samples.get(column)
            if sets is None:
                sets = self._samples[column] = _SampleSets()
            pieces += (b"%d" % sets.number(name, stretch), after)
        return b"".join(pieces)


class _SampleSets:
    """The sets of one sample in one stretch of a contig.

    Names are kept as numbers, sorted beside the numbers that their sets have: a dict
    of them would take ten times the memory.
    """

    __slots__ = ("_count", "_keys", "_last", "_last_number", "_numbers", "_stretch")

    def __init__(self) -> None:
        self._count = 0
        self._stretch = -1
        self._last: str | None = None
        self._last_number = 0
        self._keys, self._numbers = array("q"), array("I")

    def number(self, name: str, stretch: int) -> int:
        if stretch != self._stretch:
            # Records come in order: no stretch comes again.
            self._stretch = stretch
            del self._keys[:], self._numbers[:]
        elif name == self._last:
            return self._last_number
        key = _key(name)
        place = bisect.bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            self._count += 1
            self._keys.insert(place, key)
            self._numbers.insert(place, self._count)
        self._last, self._last_number = name, self._numbers[place]
        return self._last_number


def _key(name: str) -> int:
    """Return a number for a name: positions as they are, other names below zero."""
    is_number = name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS
    if is_number and (name[0] != "0" or name == "0"):
        return int(name)
    # 63 bits: two of a person's sets are mistaken for one less often than once in
    # 10^11 contigs of 5,000 sets each.
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return ~(int.from_bytes(digest, "little") >> 1)


def _unphased(genotype: str) -> str:
    return genotype.replace("|", "/")
