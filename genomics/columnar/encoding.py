"""Tell the codes of genotypes from their text, for many records at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomics.columnar.codes import (
    CELL_BYTES,
    HAS_CODES,
    HAS_MISSING,
    INVALID,
    IS_MIXED,
    IS_UNPHASED,
    MAX_ALLELE,
    NO_ALLELE,
    PAIRS,
    UNPHASED,
    allele_text,
)

Codes = NDArray[np.uint8]

# Of half a cell: the place of its allele (from 0, missing), a slash, nothing sound.
_PLACE, _SLASH, _NONE = 15, 16, 128


def _halves(seconds: dict[bytes, int]) -> Codes:
    """Return, by allele and the byte behind it, the allele's place and what that adds.

    As numbers of 16 bits, the allele in the low half.
    """
    table = np.full(1 << 16, _NONE, np.uint8)
    for byte, added in seconds.items():
        for number in range(NO_ALLELE, MAX_ALLELE + 1):
            key = allele_text(number)[0] | byte[0] << 8
            table[key] = number - NO_ALLELE | added
    return table


def _codes() -> Codes:
    table = np.full((16, 16), INVALID, np.uint8)
    for code, (a, b) in enumerate(PAIRS):
        table[a - NO_ALLELE, b - NO_ALLELE] = code
    return table.reshape(256)


def _digit_codes() -> Codes:
    table = np.full((16, 16), INVALID, np.uint8)
    for code, (a, b) in enumerate(PAIRS):
        if min(a, b) >= 0:
            table[b, a] = code
    return table.reshape(256)


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
