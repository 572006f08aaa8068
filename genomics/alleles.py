"""The alleles of one record: what they are, their shortest form, how far they reach.

Knows VCF 4.5, sections 1.6.1 (REF, ALT, END), 3 and 5; which alleles are kept is left
to `genomics.subset`. Positions are 1-based here, spans 0-based and half-open.
"""

import dataclasses
import enum
import re
from collections.abc import Mapping, Sequence

Locus = tuple[str, int, int]  # contig, start_0, end

MAX_END = 2**31 - 1  # what an index can hold


class Kind(enum.Enum):
    """What an ALT is made of."""

    SEQUENCE = enum.auto()  # ACGT
    STAR = enum.auto()  # *: deleted by a record further up
    SYMBOLIC = enum.auto()  # <DEL>
    JOINED_RIGHT = enum.auto()  # t[p[, t]p], t. and C<contig>: bases, then a jump
    JOINED_LEFT = enum.auto()  # ]p]t, [p[t and .t: a jump, then bases


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A record reduced to some of its alleles, in minimal form.

    `end` is the last reference base (1-based, inclusive) that any allele touches, and
    `mates` are the other ends of its breakends.
    """

    pos: int
    ref: str
    alts: tuple[str, ...]
    end: int
    mates: tuple[Locus, ...] = ()


_SEQUENCE = re.compile(r"[A-Za-z]+")
_BREAKEND = re.compile(r"([^\[\]]*)[\[\]](.+):(\d+)[\[\]]([^\[\]]*)")
# Symbolic types that take up reference bases, SVLEN of them.
_SPANNING = re.compile(r"<(?:DEL|DUP|INV|CNV|CN\d+)(?::[^>]*)?>")
_TRANSLOCATION = re.compile(r"<(?:BND|TRA|CTX)(?::[^>]*)?>")
_POINT = re.compile(r"<(?:INS|BND|TRA|CTX)(?::[^>]*)?>")
_COPIES = re.compile(r"<CN(\d+)>")


def kind_of(alt: str) -> Kind:
    """Return what an ALT is.

    >>> [kind_of(alt).name for alt in ("AT", "*", "<DEL>", "G[2:9[", "]2:9]G")]
    ['SEQUENCE', 'STAR', 'SYMBOLIC', 'JOINED_RIGHT', 'JOINED_LEFT']
    """
    if _SEQUENCE.fullmatch(alt):
        return Kind.SEQUENCE
    if alt == "*":
        return Kind.STAR
    if alt.startswith("<"):
        return Kind.SYMBOLIC
    if alt.startswith(("[", "]", ".")):
        return Kind.JOINED_LEFT
    return Kind.JOINED_RIGHT


def reduce_site(
    *,
    contig: str,
    pos: int,
    ref: str,
    alts: Sequence[str],
    lengths: Sequence[str],
    info: Mapping[str, str],
) -> Site:
    """Return the site that these ALT alleles alone would have made.

    `lengths` holds SVLEN of each ALT, "." for none; `info` gives END, CHR2 and POS2.
    """
    kinds = [kind_of(alt) for alt in alts]
    if len(ref) == 1 and set(kinds) == {Kind.SEQUENCE}:
        return Site(pos=pos, ref=ref, alts=tuple(alts), end=pos)
    pos, ref, reduced = _minimal(pos, ref, alts, kinds)
    end = pos + len(ref) - 1
    mates = []
    for alt, kind, length in zip(reduced, kinds, lengths, strict=True):
        if kind is Kind.SYMBOLIC:
            end = max(end, _symbolic_end(pos, alt, length, info.get("END")))
            mates += _translocated(contig, alt, info)
        elif match := _BREAKEND.fullmatch(alt):
            mate_pos = int(match[3])
            mates.append((match[2].strip("<>"), max(mate_pos - 1, 0), mate_pos))
    return Site(pos=pos, ref=ref, alts=reduced, end=end, mates=tuple(mates))


def sv_type(ref: str, alt: str) -> str | None:
    """Return the structural type an allele has by itself, None when it has none.

    SVTYPE of a source record speaks of all its alleles, so it is told anew.

    >>> sv_type("A", "<DUP:TANDEM>"), sv_type("A", "<CN0>"), sv_type("A", "G]2:9]")
    ('DUP', 'DEL', 'BND')
    >>> sv_type("ACG", "A"), sv_type("A", "C")
    ('DEL', None)
    """
    match kind_of(alt):
        case Kind.SYMBOLIC:
            if copies := _COPIES.fullmatch(alt):
                return {"0": "DEL", "1": "CNV"}.get(copies[1], "DUP")
            return alt.strip("<>").split(":")[0]
        case Kind.JOINED_LEFT | Kind.JOINED_RIGHT:
            return "BND"
        case Kind.SEQUENCE if len(alt) != len(ref):
            return "DEL" if len(alt) < len(ref) else "INS"
    return None


def _minimal(
    pos: int, ref: str, alts: Sequence[str], kinds: Sequence[Kind]
) -> tuple[int, str, tuple[str, ...]]:
    """Cut bases that no allele needs: from the right, then from the left.

    A REF padded for a longer allele that is gone would tell of it. `*` and symbolic
    alleles have no bases of their own; these and breakends hold on to POS.
    """
    bases = [
        alt if kind is Kind.SEQUENCE else _bases_after_jump(alt)
        for alt, kind in zip(alts, kinds, strict=True)
        if kind in (Kind.SEQUENCE, Kind.JOINED_LEFT)
    ]
    right = 0
    shortest = min([len(ref), *map(len, bases)])
    while right < shortest - 1 and all(
        text[-1 - right].upper() == ref[-1 - right].upper() for text in bases
    ):
        right += 1
    left = 0
    if bases and set(kinds) <= {Kind.SEQUENCE, Kind.STAR}:
        while left < shortest - right - 1 and all(
            text[left].upper() == ref[left].upper() for text in bases
        ):
            left += 1
    reduced = tuple(
        alt[left : len(alt) - right]
        if kind is Kind.SEQUENCE
        else alt[: len(alt) - right]
        if kind is Kind.JOINED_LEFT
        else alt
        for alt, kind in zip(alts, kinds, strict=True)
    )
    return pos + left, ref[left : len(ref) - right], reduced


def _bases_after_jump(alt: str) -> str:
    return re.split(r"[\[\].]", alt)[-1]


def _symbolic_end(pos: int, alt: str, length: str, shared: str | None) -> int:
    # END of the record is the longest allele's, which may be gone; SVLEN is each one's
    # own. Without it the alleles share END, as in files before VCF 4.4.
    if _POINT.fullmatch(alt):
        return pos
    if (size := _integer(length)) is not None and _SPANNING.fullmatch(alt):
        return min(pos + abs(size), MAX_END)
    end = _integer(shared)
    return pos if end is None else min(max(end, pos), MAX_END)


def _translocated(contig: str, alt: str, info: Mapping[str, str]) -> list[Locus]:
    # <TRA> of older callers names its other end by CHR2 and POS2 or END.
    place = _integer(info.get("POS2", info.get("END")))
    if place is None or not _TRANSLOCATION.fullmatch(alt):
        return []
    return [(info.get("CHR2", contig), max(place - 1, 0), max(place, 1))]


def _integer(text: str | None) -> int | None:
    if text is None or not re.fullmatch(r"[+-]?\d{1,18}", text):
        return None
    return int(text)
