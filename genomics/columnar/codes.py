"""One byte for a diploid genotype of single-digit alleles, and tables to read it.

    0 both REF | 1 both missing | 2, 3 one of each | 4 to 120 the pairs with an ALT

In a record that mixes phased and unphased genotypes, 128 is added to unphased ones;
in any other the record itself says which it holds. So a record is carried by someone
when its largest code (less 128) is 4 or more, as `genomics/native/choosing.c` knows.
"""

# Bits of a record's flags: it has codes; all are unphased; some, but not all, are; some
# allele is missing.
HAS_CODES, IS_UNPHASED, IS_MIXED, HAS_MISSING = 2, 8, 16, 32

MAX_ALLELE = 9
UNPHASED = 128
PAIR = 127  # mask
INVALID = 255
FIRST_CARRIED = 4  # the smallest code of a pair with an ALT allele
CELL_BYTES = 4  # tab, allele, separator, allele
NO_ALLELE = -1


def _pairs() -> list[tuple[int, int]]:
    alleles = (NO_ALLELE, *range(MAX_ALLELE + 1))
    first = [(0, 0), (NO_ALLELE, NO_ALLELE), (0, NO_ALLELE), (NO_ALLELE, 0)]
    others = [(a, b) for a in alleles for b in alleles if max(a, b) > 0]
    return first + sorted(others, key=lambda pair: (max(pair), pair))


def allele_text(number: int) -> bytes:
    """Return an allele as a cell has it."""
    return b"." if number == NO_ALLELE else b"%d" % number


def _cells(separators: bytes) -> bytes:
    """Return the text of each code behind its tab; one separator for each half."""
    cells = bytearray(256 * CELL_BYTES)
    for half, separator in enumerate(separators):
        for code, (a, b) in enumerate(PAIRS, half * UNPHASED):
            text = b"\t%b%c%b" % (allele_text(a), separator, allele_text(b))
            cells[code * CELL_BYTES : (code + 1) * CELL_BYTES] = text
    return bytes(cells)


def _alleles() -> bytes:
    numbers = [number for pair in PAIRS for number in pair]
    numbers += [NO_ALLELE] * (2 * UNPHASED - len(numbers))
    return bytes(MAX_ALLELE + 1 if n == NO_ALLELE else n for n in numbers)


PAIRS = _pairs()
# Text of a cell behind its tab, by code: all phased or mixed, and all unphased.
PHASED_CELLS = _cells(b"|/")
UNPHASED_CELLS = _cells(b"//")
# Two alleles of each code below `UNPHASED`, 10 for a missing one.
ALLELES = _alleles()


def renumbered(numbers: dict[int, int]) -> bytes:
    """Return, by code, the code of the same genotype after alleles got new numbers.

    Codes with an allele that has no new number stay as they are: nobody has them.
    """
    code_of = {pair: code for code, pair in enumerate(PAIRS)}
    table = bytearray(range(256))
    known = {NO_ALLELE: NO_ALLELE, **numbers}
    for code, (a, b) in enumerate(PAIRS):
        if a in known and b in known:
            new = code_of[known[a], known[b]]
            table[code], table[code + UNPHASED] = new, new + UNPHASED
    return bytes(table)
