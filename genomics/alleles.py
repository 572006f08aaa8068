"""The alleles of one record: what they are, and their shortest form.

Knows VCF 4.5, sections 1.6.1 (REF, ALT), 3 and 5; how far alleles reach is
`genomics.extent`'s subject, and which are kept is left to `genomics.subset`.
Positions are 1-based here.
"""

import enum
import re
from collections.abc import Sequence


class Kind(enum.Enum):
    """What an ALT is made of."""

    SEQUENCE = enum.auto()  # ACGT
    STAR = enum.auto()  # *: deleted by a record further up
    SYMBOLIC = enum.auto()  # <DEL>
    JOINED_RIGHT = enum.auto()  # t[p[, t]p], t. and C<contig>: bases, then a jump
    JOINED_LEFT = enum.auto()  # ]p]t, [p[t and .t: a jump, then bases


_SEQUENCE = re.compile(r"[A-Za-z]+")
_BREAKEND = re.compile(r"([^\[\]]*)[\[\]](.+):(\d+)[\[\]]([^\[\]]*)")
_SYMBOLIC = re.compile(r"<([^<>:]+)(?::[^<>]*)?>")
COPIES = re.compile(r"CN(\d+)")
# Symbolic types that take up reference bases, SVLEN of them.
_SPANNING = re.compile(rf"DEL|DUP|INV|CNV|{COPIES.pattern}")
# Symbolic types that join two places, as breakends do.
JOINS = ("BND", "TRA", "CTX")
_POINTS = ("INS", *JOINS)


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


def symbolic_type(alt: str) -> str | None:
    """Return the top type of a symbolic allele, None of any other.

    >>> symbolic_type("<DUP:TANDEM>"), symbolic_type("<*:DEL>"), symbolic_type("A")
    ('DUP', '*', None)
    """
    match = _SYMBOLIC.fullmatch(alt)
    return match[1].upper() if match else None


def is_spanning(type_: str | None) -> bool:
    """Whether alleles of this type take up as many reference bases as SVLEN says.

    >>> is_spanning("DEL"), is_spanning("CN2"), is_spanning("INS"), is_spanning("STR2")
    (True, True, False, False)
    """
    return type_ is not None and _SPANNING.fullmatch(type_) is not None


def is_point(type_: str | None) -> bool:
    """Whether alleles of this type stand between two bases: insertions and joins."""
    return type_ in _POINTS


def mate_of(alt: str) -> tuple[str, int] | None:
    """Return contig and position (1-based) of a breakend's other end, if it has one.

    >>> mate_of("G[HLA-DRB1*15:01:300["), mate_of("G.")
    (('HLA-DRB1*15:01', 300), None)
    """
    match = _BREAKEND.fullmatch(alt)
    return (match[2].strip("<>"), int(match[3])) if match else None


def shortest_form(
    pos: int, ref: str, alts: Sequence[str]
) -> tuple[int, str, tuple[str, ...]]:
    """Cut bases that no allele needs: from the right, then from the left.

    A REF padded for a longer allele that is gone would tell of it. `*` and symbolic
    alleles have no bases of their own; these and breakends hold on to POS.
    """
    kinds = [kind_of(alt) for alt in alts]
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
