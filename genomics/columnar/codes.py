"""One byte for a diploid genotype of single-digit alleles, and tables to read it.

    0 both REF | 1 both missing | 2, 3 one of each | 4 to 120 the pairs with an ALT

In a record that mixes phased and unphased genotypes, 128 is added to unphased ones;
in any other the record itself says which it holds. So a record is carried by someone
when its largest code (less 128) is `FIRST_WITH_ALT` or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]

# Bits of a record's flags: it has codes; all are unphased; some, but not all, are; some
# allele is missing.
HAS_CODES, IS_UNPHASED, IS_MIXED, HAS_MISSING = 2, 8, 16, 32

MAX_ALLELE = 9
BOTH_MISSING = 1
FIRST_WITH_ALT = 4
PAIR = 127  # mask
UNPHASED = 128
INVALID = 255
CELL_BYTES = 4  # tab, allele, separator, allele

_MISSING = -1
# Of half a cell: the place of its allele (from 0, missing), a slash, nothing sound.
_PLACE, _SLASH, _NONE = 15, 16, 128


def _pairs() -> list[tuple[int, int]]:
    alleles = (_MISSING, *range(MAX_ALLELE + 1))
    first = [(0, 0), (_MISSING, _MISSING), (0, _MISSING), (_MISSING, 0)]
    others = [(a, b) for a in alleles for b in alleles if max(a, b) > 0]
    return first + sorted(others, key=lambda pair: (max(pair), pair))


def _allele(number: int) -> bytes:
    return b"." if number == _MISSING else b"%d" % number


def _cells(separators: bytes) -> NDArray[np.uint32]:
    """Return the text of each code as four bytes; one separator for each half."""
    cells = np.zeros((256, CELL_BYTES), np.uint8)
    for half, separator in enumerate(separators):
        for code, (a, b) in enumerate(PAIRS):
            text = b"\t%b%c%b" % (_allele(a), separator, _allele(b))
            cells[half * UNPHASED + code] = np.frombuffer(text, np.uint8)
    return cells.view(np.uint32).reshape(256)


def _halves(seconds: dict[bytes, int]) -> Codes:
    """Return, by allele and the byte behind it, the allele's place and what that adds.

    As numbers of 16 bits, the allele in the low half.
    """
    table = np.full(1 << 16, _NONE, np.uint8)
    for byte, added in seconds.items():
        for number in range(_MISSING, MAX_ALLELE + 1):
            key = _allele(number)[0] | byte[0] << 8
            table[key] = number - _MISSING | added
    return table


def _codes() -> Codes:
    table = np.full((16, 16), INVALID, np.uint8)
    for code, (a, b) in enumerate(PAIRS):
        table[a - _MISSING, b - _MISSING] = code
    return table.reshape(256)


def _digit_codes() -> Codes:
    table = np.full((16, 16), INVALID, np.uint8)
    for code, (a, b) in enumerate(PAIRS):
        if min(a, b) >= 0:
            table[b, a] = code
    return table.reshape(256)


def _counts() -> NDArray[np.int64]:
    counts = np.zeros((256, MAX_ALLELE + 2), np.int64)  # missing ones come last
    for half in (0, UNPHASED):
        for code, pair in enumerate(PAIRS):
            for number in pair:
                counts[half + code, number] += 1
    return counts


PAIRS = _pairs()
# Text of a cell behind its tab, by code: all phased or mixed, and all unphased.
PHASED_CELLS = _cells(b"|/")
UNPHASED_CELLS = _cells(b"//")
# By code: how often each of the alleles 0 to 9 occurs, and how many are missing.
COUNTS = _counts()[:, :-1]
# Both alleles are the first ALT.
HOMOZYGOUS = PAIRS.index((1, 1))
MISSING_COUNTS = _counts()[:, -1]
_FIRST, _SECOND = _halves({b"|": 0, b"/": _SLASH}), _halves({b"\t": 0})
_CODE_OF = _codes()
# Cells of REF alone as numbers; what in them makes two digits; codes by these digits,
# the second in the high half.
_PHASED_REF, _UNPHASED_REF = np.frombuffer(b"0|0\t0/0\t", "<u4")
_DIGITS = np.uint32(0x000F000F)
_CODE_OF_DIGITS = _digit_codes()
_LARGEST = np.array(
    [
        max(code for code, pair in enumerate(PAIRS) if max(pair) <= alts)
        for alts in range(MAX_ALLELE + 1)
    ],
    np.uint8,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Codes (records x samples); for each record, whether all are genotypes, and flags.

    The codes of records with `IS_MIXED` have `UNPHASED` added where it applies.
    """

    codes: Codes
    sound: NDArray[np.bool_]
    flags: NDArray[np.uint8]


def encode(cells: Codes) -> Encoded:
    """Return the codes of genotypes given as text: (records x samples x 4 bytes).

    Each cell is an allele, a separator, an allele and a tab.
    """
    # Nearly every record has one separator and nothing missing: what tells its cells
    # from those of REF alone is two digits.
    slash = cells[:, 0, 1] == ord("/")
    digits = np.ascontiguousarray(cells).view("<u4")[:, :, 0] ^ np.where(
        slash, _UNPHASED_REF, _PHASED_REF
    ).reshape(-1, 1)
    found = _CODE_OF_DIGITS.take((digits | digits >> 12).astype(np.uint8), mode="clip")
    sound = found.max(axis=1) < INVALID
    flags = slash * np.uint8(IS_UNPHASED) | np.uint8(HAS_CODES)
    others = np.flatnonzero(np.bitwise_or.reduce(digits, axis=1) & ~_DIGITS)
    if len(others):
        any_ = _encode_any(cells[others])
        found[others], sound[others] = any_.codes, any_.sound
        flags[others] = any_.flags
    return Encoded(codes=found, sound=sound, flags=flags)


def _encode_any(cells: Codes) -> Encoded:
    halves = np.ascontiguousarray(cells).view("<u2")
    first, second = _FIRST.take(halves[:, :, 0]), _SECOND.take(halves[:, :, 1])
    found = _CODE_OF.take((first & _PLACE) << 4 | (second & _PLACE))
    # A bit is in the largest when it is in any; invalid ones have the highest.
    sound = np.maximum(first.max(axis=1), second.max(axis=1)) < _NONE
    slashes = first & _SLASH
    any_slash, slash = slashes.any(axis=1), slashes.all(axis=1)
    mixed = any_slash & ~slash & sound
    for record in np.flatnonzero(mixed):
        found[record] += slashes[record] * np.uint8(UNPHASED // _SLASH)
    # The missing allele has the first place.
    missing = ((first & _PLACE).min(axis=1) == 0) | ((second & _PLACE).min(axis=1) == 0)
    flags = (
        slash * np.uint8(IS_UNPHASED)
        | mixed * np.uint8(IS_MIXED)
        | missing * np.uint8(HAS_MISSING)
        | np.uint8(HAS_CODES)
    )
    return Encoded(codes=found, sound=sound, flags=flags)


def encode_rows(rows: Sequence[bytes]) -> Encoded:
    """Return the codes of rows of such cells, the last of each without its tab."""
    text = np.frombuffer(b"\t".join([*rows, b""]), np.uint8)
    return encode(text.reshape(len(rows), -1, CELL_BYTES))


def largest_of(alt_counts: Sequence[int]) -> Codes:
    """Return the largest code that records of so many ALT alleles may have."""
    return _LARGEST.take(np.minimum(alt_counts, MAX_ALLELE))


def renumbered(numbers: dict[int, int]) -> Codes:
    """Return, by code, the code of the same genotype after alleles got new numbers.

    Codes with an allele that has no new number stay as they are: nobody has them.
    """
    code_of = {pair: code for code, pair in enumerate(PAIRS)}
    table = np.arange(256, dtype=np.uint8)
    known = {_MISSING: _MISSING, **numbers}
    for code, (a, b) in enumerate(PAIRS):
        if a in known and b in known:
            new = code_of[known[a], known[b]]
            table[code], table[code + UNPHASED] = new, new + UNPHASED
    return table
