"""Genotypes come back from their codes as they went in, and nothing else gets in."""

import itertools
import random

import numpy as np
import pytest

from genomics.columnar import codes, encoding

ALLELES = [b".", *(b"%d" % number for number in range(10))]
PAIRS = list(itertools.product(ALLELES, ALLELES))


def decoded(found: encoding.Encoded, row: int) -> bytes:
    kind = int(found.flags[row]) & codes.IS_UNPHASED
    table = codes.UNPHASED_CELLS if kind else codes.PHASED_CELLS
    cells = [table[4 * code : 4 * code + 4] for code in found.codes[row].tolist()]
    return b"".join(cells)[1:]


@pytest.mark.parametrize("separators", [b"|", b"/", b"|/"])
@pytest.mark.parametrize("has_missing", [False, True])
def test_every_pair_of_alleles_comes_back(separators: bytes, has_missing: bool) -> None:
    drawn = random.Random(1)
    rows = []
    for _ in range(50):
        pairs = [pair for pair in PAIRS if has_missing or b"." not in pair]
        drawn.shuffle(pairs)
        signs = [bytes([drawn.choice(separators)]) for _ in pairs]
        rows.append(
            b"\t".join(a + s + b for (a, b), s in zip(pairs, signs, strict=True))
        )
    found = encoding.encode_rows(rows)
    assert found.sound.all()
    assert [decoded(found, number) for number in range(len(rows))] == rows
    missing = (found.flags & codes.HAS_MISSING) != 0
    assert missing.all() == missing.any() == has_missing


def test_only_genotypes_are_sound() -> None:
    """Each byte in each place of a cell, among sound cells, of sound records."""
    for sound in (b"0|1", b"2/0", b"./1"):
        rows = [b"\t".join([sound] * 3)] * 2
        changed = []
        for cell, place, byte in itertools.product(range(3), range(4), range(256)):
            row = bytearray(rows[0] + b"\t")
            row[4 * cell + place] = byte
            changed.append(bytes(row))
        text = np.frombuffer(b"".join(changed), np.uint8)
        found = encoding.encode(text.reshape(len(changed), 3, codes.CELL_BYTES))
        for made, is_sound in zip(changed, found.sound.tolist(), strict=True):
            cells = [made[start : start + 4] for start in range(0, 12, 4)]
            assert is_sound == all(is_genotype(cell) for cell in cells)


def is_genotype(cell: bytes) -> bool:
    first, separator, second, tab = (cell[place : place + 1] for place in range(4))
    return (
        first in ALLELES
        and separator in (b"|", b"/")
        and second in ALLELES
        and tab == b"\t"
    )
