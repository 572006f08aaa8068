"""Decide whether the values of a field are what its definition says.

Only form and range are checked, not cardinality: real call sets break Number often,
and the engine counts for itself. Values repeat, so those seen lately are not looked at
twice; a batch of values costs one set difference.
"""

import re
from collections.abc import Callable, Iterable

from genomics.uploads.definitions import Definition, Type

# BCF keeps eight values at the bottom of 32 bits for itself (VCF 4.5, section 6.3.3):
# htslib would read what lies outside as missing, without an error.
_SMALLEST, _LARGEST = -(2**31) + 8, 2**31 - 1
_INTEGERS = re.compile(rb"(?:\.|[+-]?[0-9]{1,9})(?:,(?:\.|[+-]?[0-9]{1,9}))*", re.ASCII)
_LONG_INTEGERS = re.compile(rb"(?:\.|[+-]?[0-9]{1,12})(?:,(?:\.|[+-]?[0-9]{1,12}))*")
_FLOAT = (
    rb"(?:\.|[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    rb"|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[+-]?[nN][aA][nN])"
)
_FLOATS = re.compile(_FLOAT + rb"(?:," + _FLOAT + rb")*")

# What is remembered is bounded, for a hostile file has no value twice.
LONGEST_REMEMBERED = 32
_MOST_REMEMBERED = 1 << 16


class Field:
    """One INFO or FORMAT key of an upload and the values it may have."""

    __slots__ = (
        "_always",
        "_fits",
        "accepted",
        "definition",
        "has_bare",
        "has_values",
        "is_ours",
    )

    def __init__(
        self, definition: Definition, *, is_ours: bool, may_be_empty: bool = False
    ) -> None:
        # The upload does not declare the key, so the definition may still give way.
        self.is_ours = is_ours
        self.has_values = False
        self.has_bare = False  # the key stood alone, as a flag does
        # None is a value left out. An empty Float is refused in any case: htslib would
        # read it as a zero.
        is_float = definition.type == "Float"
        self._always = {None, b""} if may_be_empty and not is_float else {None}
        self.redefine(definition)

    @property
    def wanted(self) -> str:
        """Return what a value should be, for a message."""
        return _WANTED[self.definition.type]

    def redefine(self, definition: Definition) -> None:
        """Take another definition, from now on and in the header."""
        self.definition = definition
        self.accepted: set[bytes | None] = set(self._always)
        self._fits = _FITS[definition.type]

    def fits(self, values: Iterable[bytes | None]) -> bool:
        """Whether all values fit; those that do are remembered in `accepted`."""
        if self.accepted.issuperset(values):
            return True
        for value in values:
            if value in self.accepted:
                continue
            if value is None or not self._fits(value):
                return False
            if len(value) <= LONGEST_REMEMBERED:
                if len(self.accepted) >= _MOST_REMEMBERED:
                    self.accepted = set(self._always)
                self.accepted.add(value)
        return True


def is_quality(value: bytes) -> bool:
    """Whether the value may stand in QUAL: one number, or '.'."""
    return b"," not in value and _is_floats(value)


def _is_integers(value: bytes) -> bool:
    if _INTEGERS.fullmatch(value):
        return True
    if not _LONG_INTEGERS.fullmatch(value):
        return False
    return all(
        number == b"." or _SMALLEST <= int(number) <= _LARGEST
        for number in value.split(b",")
    )


def _is_floats(value: bytes) -> bool:
    return _FLOATS.fullmatch(value) is not None


def _is_text(value: bytes) -> bool:
    return value != b""


def _is_nothing(value: bytes) -> bool:
    return False


_WANTED: dict[Type, str] = {
    "Integer": "32-bit integers or '.', parted by commas,",
    "Float": "numbers or '.', parted by commas,",
    "Character": "a value",
    "String": "a value",
    "Flag": "no value",
}
_FITS: dict[Type, Callable[[bytes], bool]] = {
    "Integer": _is_integers,
    "Float": _is_floats,
    "Character": _is_text,
    "String": _is_text,
    "Flag": _is_nothing,
}
