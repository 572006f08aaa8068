"""How far a record reaches: the widest of its statements counts.

Variant callers state the same extent in several ways, which often differ. A donor who
withholds a place must not depend on which of them is right, so a record touches every
base that any of these names:

- POS to the last base of REF, in the shortest form of the kept alleles;
- POS to END, unless END is on the contig of a breakend's mate;
- |SVLEN| bases behind POS, for each kept ALT that takes up reference bases;
- the other end of a breakend, CHR2 with END2 or POS2 (or END where neither stands),
  and all bases between where that is on the same contig: the specification calls a
  breakend an adjacency; to treat it as a span is our policy for what donors withhold;
- what CIPOS, CIEND and CILEN add to these on either side;
- for structural variants, any value of INFO that reads `contig:start-end`.

Values that a file gives for each ALT count only for the kept ones, other values for the
whole record. Who may have a record is left to `genomics.boundaries`, and what a release
states of it to `genomics.describing`.

Source: VCF 4.5, sections 1.6.1, 3 and 5.4, for the notation; GATK-SV, Manta, Delly,
Lumpy, SURVIVOR and Sniffles for the keys beside it.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genomics import builds
from genomics.alleles import (
    JOINS,
    Kind,
    is_spanning,
    kind_of,
    mate_of,
    shortest_form,
    symbolic_type,
)
from genomics.lines import Version

Locus = tuple[str, int, int]  # contig, start_0, end

MAX_END = 2**31 - 1  # what an index can hold

# Holds the values of the form contig:start-end in a store that an erasure wrote.
LOCI_KEY = "GEMMULE_LOCI"
_START_INTERVALS, _END_INTERVALS = ("CIPOS", "CIPOS95"), ("CIEND", "CIEND95")
_LENGTH_INTERVALS = ("CILEN",)
INTERVALS = (*_START_INTERVALS, *_END_INTERVALS, *_LENGTH_INTERVALS)
# Where the other end of a record lies; the same for all its alleles.
OTHER_END = ("CHR2", "END2", "POS2")
# Without any of these a record of plain bases reaches no further than REF.
KEYS = ("END", "SVLEN", "SVTYPE", *INTERVALS, *OTHER_END, LOCI_KEY)

_SEPARATORS = re.compile(r"[,|&;\s()]+")
_START_AND_END = re.compile(r":(\d{1,10})-(\d{1,10})(?!\d)")
_LONGEST_NAME = 300  # of a contig, with what stands before it
_TYPES = ("DEL", "DUP", "INV", "INS", "CNV", "CPX", *JOINS)
# Callers without a length write 0, 1 or -1.
_NO_LENGTH = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A record reduced to some of its alleles, in minimal form.

    `loci` are all places that these alleles touch; the first lies on the record's own
    contig and holds POS.
    """

    pos: int
    ref: str
    alts: tuple[str, ...]
    loci: tuple[Locus, ...]

    @property
    def last_base(self) -> int:
        """The last base (1-based) of its own contig up to which it reaches."""
        return max(self.loci[0][2], self.pos)


class _Reach(NamedTuple):
    """A stretch of the own contig, 1-based and inclusive."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSite:
    """What a record of the source says of its alleles and of where they are.

    `line` is its place in the store, `version` that of the source's VCF. Alleles are
    named by their number, from 1.
    """

    line: int
    contig: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    info: Mapping[str, str]
    version: Version

    def reduce(self, kept: Sequence[int]) -> Site:
        """Return the site that these ALT alleles alone would have made."""
        alts = [self.alts[number - 1] for number in kept]
        kinds = {kind_of(alt) for alt in alts}
        has_bases_alone = kinds <= {Kind.SEQUENCE, Kind.STAR}
        if len(self.ref) == 1 and kinds == {Kind.SEQUENCE}:
            pos, ref, reduced = self.pos, self.ref, tuple(alts)
        else:
            pos, ref, reduced = shortest_form(self.pos, self.ref, alts)
        if has_bases_alone and self.info.keys().isdisjoint(KEYS):
            loci: tuple[Locus, ...] = (_locus(self.contig, pos, pos + len(ref) - 1),)
        else:
            loci = self._loci(kept, pos, ref)
        return Site(pos=pos, ref=ref, alts=reduced, loci=loci)

    @property
    def sv_type(self) -> str:
        """The top type that SVTYPE gives, in upper case; empty without one."""
        return self.info.get("SVTYPE", "").partition(":")[0].upper()

    def length(self, number: int) -> int | None:
        """Return SVLEN of an ALT, None where the record gives it none.

        One length of several ALT is that of each that takes up reference bases.
        """
        lengths = self._lengths()
        if len(lengths) == len(self.alts):
            return lengths[number - 1]
        if len(lengths) == 1 and is_spanning(symbolic_type(self.alts[number - 1])):
            return lengths[0]
        return None

    def sizes(self, number: int) -> list[int]:
        """Return the lengths that an ALT may have: its own, or those of no ALT."""
        lengths = self._lengths()
        if len(lengths) == len(self.alts):
            lengths = [lengths[number - 1]]
        return [size for size in lengths if size is not None]

    def end(self, kept: Sequence[int]) -> int | None:
        """Return END if it counts for these alleles.

        It does not count if it is the end of a removed ALT by the SVLEN of that ALT,
        unless one of these alleles has no other statement of how far it reaches.
        """
        if self.is_end_of_others(kept) and not any(map(self.needs_end, kept)):
            return None
        return self._end()

    def is_end_of_others(self, kept: Sequence[int]) -> bool:
        """Whether END is the end of a removed ALT, by the SVLEN of that ALT."""
        end = self._end()
        return end is not None and any(
            abs(size) > _NO_LENGTH and self.pos + abs(size) == end
            for number in range(1, len(self.alts) + 1)
            if number not in kept and (size := self.length(number)) is not None
        )

    def needs_end(self, number: int) -> bool:
        """Whether an ALT takes up bases, and no SVLEN says how many."""
        if not is_spanning(symbolic_type(self.alts[number - 1])):
            return False
        size = self.length(number)
        return size is None or abs(size) <= _NO_LENGTH

    def is_end_here(self, number: int) -> bool:
        """Whether END, for this ALT, is a position on the record's own contig."""
        if self._has_places():
            return True  # END2 or POS2 is the other end
        if self._is_away(number):
            # Callers write POS, the base behind it or the mate's position.
            return self._end() in (self.pos, self.pos + 1)
        return not (self._is_join(number) and self._other_contigs())

    def other_ends(self, kept: Sequence[int]) -> list[tuple[str, int]]:
        """Return contig and position (1-based) of each other end that is named."""
        alts = [self.alts[number - 1] for number in kept]
        mates = [mate for alt in alts if (mate := mate_of(alt))]
        contigs = self._second_contigs() or [self.contig]
        places = [place for key in ("END2", "POS2") for place in self._integers(key)]
        if places:
            return mates + [(contig, place) for contig in contigs for place in places]
        if (end := self.end(kept)) is None:
            return mates
        # POS, or the base behind it, is no other end of a breakend that has its mate.
        is_here = end in (self.pos, self.pos + 1)
        others = [] if is_here else [contig for contig, _ in mates]
        if not (is_here and all(map(self._is_away, kept))):
            others += self._other_contigs()
        names = [name for name in others if not is_same_contig(name, self.contig)]
        if not names and any(map(self._is_join, kept)):
            names = [self.contig]
        return list(dict.fromkeys([*mates, *((name, end) for name in names)]))

    def named_loci(self, kept: Sequence[int]) -> list[Locus]:
        """Return what INFO of a structural variant names as contig:start-end."""
        values = [self.info[LOCI_KEY]] if LOCI_KEY in self.info else []
        if "SVTYPE" in self.info or any(map(self._is_structural, kept)):
            values = list(self.info.values())
        return [
            locus
            for value in values
            if ":" in value
            for item in _SEPARATORS.split(value)
            for locus in _named(item)
        ]

    def _loci(self, kept: Sequence[int], pos: int, ref: str) -> tuple[Locus, ...]:
        low, high = self._interval(_START_INTERVALS, kept)
        low_end, high_end = self._interval(_END_INTERVALS, kept)
        longer = self._interval(_LENGTH_INTERVALS, kept)[1]
        last = pos + len(ref) - 1
        end = self.end(kept)
        for number in kept:
            if self._takes_up_bases(number):
                last = max(last, *(pos + abs(size) for size in self.sizes(number)), 0)
            if end is not None and self.is_end_here(number):
                last = max(last, end)
        reach = _Reach(pos + low, max(last + max(high_end, longer), pos + high))
        others: list[Locus] = []
        for contig, place in self.other_ends(kept):
            first, last = place + low_end, place + high_end
            if is_same_contig(contig, self.contig):
                reach = _Reach(min(reach.first, first), max(reach.last, last))
            else:
                others.append(_locus(contig, first, last))
        if not others and not self._has_places() and end is None:
            # The other end lies somewhere on CHR2.
            others = [_locus(contig, 1, MAX_END) for contig in self._other_contigs()]
        own = _locus(self.contig, *reach)
        return tuple(dict.fromkeys([own, *others, *self.named_loci(kept)]))

    def _end(self) -> int | None:
        return integer(self.info.get("END"))

    def _lengths(self) -> list[int | None]:
        text = self.info.get("SVLEN")
        return [] if text is None else [integer(item) for item in text.split(",")]

    def _takes_up_bases(self, number: int) -> bool:
        alt = self.alts[number - 1]
        kind = kind_of(alt)
        if kind is Kind.SYMBOLIC:
            return is_spanning(symbolic_type(alt))
        if kind is not Kind.SEQUENCE:
            return False
        return (
            len(alt) < len(self.ref)
            or is_spanning(self.sv_type)
            or any(size < 0 for size in self.sizes(number))
        )

    def _is_away(self, number: int) -> bool:
        """Whether an ALT is a breakend whose mate is on another contig."""
        mate = mate_of(self.alts[number - 1])
        return mate is not None and not is_same_contig(mate[0], self.contig)

    def _is_join(self, number: int) -> bool:
        alt = self.alts[number - 1]
        if kind_of(alt) is Kind.SEQUENCE:
            return self.sv_type in JOINS
        return symbolic_type(alt) in JOINS

    def _is_structural(self, number: int) -> bool:
        return kind_of(self.alts[number - 1]) not in (Kind.SEQUENCE, Kind.STAR)

    def _second_contigs(self) -> list[str]:
        names = self.info.get("CHR2", "").split(",")
        return [name for name in names if name not in ("", ".")]

    def _other_contigs(self) -> list[str]:
        names = self._second_contigs()
        return [name for name in names if not is_same_contig(name, self.contig)]

    def _has_places(self) -> bool:
        return bool(self._integers("END2") or self._integers("POS2"))

    def _integers(self, key: str) -> list[int]:
        items = self.info.get(key, "").split(",")
        return [number for item in items if (number := integer(item)) is not None]

    def _interval(self, keys: Sequence[str], kept: Sequence[int]) -> tuple[int, int]:
        """Return the widest of these intervals, as it lies around a position."""
        distances = [0]
        for key in keys:
            if key in self.info:
                items = map(integer, self.pairs(key, kept))
                distances += [item for item in items if item is not None]
        return min(distances), max(distances)

    def pairs(self, key: str, kept: Sequence[int]) -> list[str]:
        """Return the items of an interval: two for each kept ALT, or two for all."""
        items = self.info[key].split(",")
        if len(items) != 2 * len(self.alts):
            return items
        return [item for n in kept for item in items[2 * n - 2 : 2 * n]]


def integer(text: str | None) -> int | None:
    """Return a whole number, None for anything else."""
    if text is None or not re.fullmatch(r"[+-]?\d{1,18}", text):
        return None
    return int(text)


@functools.lru_cache(maxsize=1024)
def is_same_contig(name: str, other: str) -> bool:
    """Whether two names mean one contig.

    >>> is_same_contig("chr7", "7"), is_same_contig("chrUn_1", "Un_1")
    (True, False)
    """
    return builds.contig_key(name) == builds.contig_key(other)


def _locus(contig: str, first: int, last: int) -> Locus:
    # A telomere stands before the first base, and counts as it.
    last = min(max(last, 1), MAX_END)
    return contig, min(max(first - 1, 0), last - 1), last


def _named(item: str) -> list[Locus]:
    places = list(_START_AND_END.finditer(item))
    if not places:
        return []
    # Names of contigs hold colons, so the last place in the text counts.
    place = places[-1]
    first, last = sorted((int(place[1]), int(place[2])))
    names = _names_in(item[: place.start()])
    return [_locus(name, first, last) for name in names]


def _names_in(text: str) -> list[str]:
    """Return the contigs that a text may name, as in INV_chr1.

    Whether the source has such a contig must not matter, because it may come from
    somebody who is left out. A text that is neither a chromosome nor a type before a
    name also counts as a name itself: it cannot be placed, and so it is withheld.
    """
    head, bar, name = text.partition("_")
    if not bar or len(text) > _LONGEST_NAME or builds.chromosome(text) is not None:
        return [text]
    if head.upper() in _TYPES:
        return _names_in(name)
    words = name.split("_")
    ends = ("_".join(words[start:]) for start in range(len(words)))
    return [text, *(end for end in ends if builds.chromosome(end) is not None)]
