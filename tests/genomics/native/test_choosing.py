"""What is compiled does what a few lines of Python do, and refuses damaged text."""

import functools
import itertools
import operator
from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics.columnar import codes
from genomics.errors import BuildFailed
from genomics.native import choosing

CELLS = st.binary(max_size=80).map(
    lambda cell: cell.replace(b"\t", b"").replace(b"\n", b"")
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[bytes]], list[int]]:
    """Return rows of cells, some without any, and places among their columns."""
    columns = draw(st.integers(1, 8))
    full = st.lists(CELLS, min_size=columns, max_size=columns).filter(any)
    rows = draw(st.lists(st.just([]) | full, min_size=1, max_size=6))
    places = draw(
        st.lists(st.integers(0, columns - 1), unique=True, min_size=1).filter(len)
    )
    return rows, places


def columns_of(rows: list[list[bytes]]) -> int:
    return max(map(len, rows))


@given(tables())
def test_cells_are_picked_from_rows_as_split_and_join_would(
    table: tuple[list[list[bytes]], list[int]],
) -> None:
    rows, places = table
    if not any(rows):
        return
    text = b"\n".join(map(b"\t".join, rows))

    found = choosing.pick(text, len(rows), columns_of(rows), array("q", places))

    for number, row in enumerate(rows):
        chosen = [b"\t" + row[place] for place in places if row]
        assert bytes(found[number]) == b"".join([*chosen, *([b"\n"] if row else [])])


@given(tables(), st.data())
def test_texts_of_people_are_laid_side_by_side(
    table: tuple[list[list[bytes]], list[int]], data: st.DataObject
) -> None:
    rows = [row for row in table[0] if row]
    if not rows:
        return
    texts = [b"\n".join(column) for column in zip(*rows, strict=True)]
    first = data.draw(st.integers(0, len(rows) - 1))
    last = data.draw(st.integers(first, len(rows)))

    found = choosing.lay(texts, first, last)

    for number, row in enumerate(rows[first:last]):
        assert bytes(found[number]) == b"".join(b"\t" + cell for cell in row) + b"\n"


PHASED, UNPHASED = codes.PHASED_CELLS, codes.UNPHASED_CELLS
CODES = st.sampled_from(range(len(codes.PAIRS)))
PLAIN = st.sampled_from([0, 5, 7, 8])  # of REF and the first ALT, none missing


@st.composite
def coded(draw: st.DrawFn) -> tuple[list[list[int]], bytes, choosing.Tables]:
    """Return rows of codes, their flags, and the tables that hold them."""
    widths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    rows, flags = [], bytearray()
    for _ in range(draw(st.integers(1, 5))):
        is_plain, is_mixed = draw(st.booleans()), draw(st.booleans())
        each = PLAIN if is_plain else CODES
        row = draw(st.lists(each, min_size=sum(widths), max_size=sum(widths)))
        if is_mixed:
            row = [code + codes.UNPHASED * draw(st.integers(0, 1)) for code in row]
        rows.append(row)
        flags.append(is_mixed * codes.IS_MIXED | (not is_plain) * codes.HAS_MISSING)
    picked = draw(st.lists(st.integers(0, sum(widths) - 1), min_size=1, unique=True))
    ends = list(itertools.accumulate(widths, initial=0))
    texts = [
        bytes(code for row in rows for code in row[start:end])
        for start, end in itertools.pairwise(ends)
    ]
    tables = choosing.Tables(texts, array("q", widths), array("I", picked))
    return rows, bytes(flags), tables


@given(coded(), st.data())
def test_carried_rows_are_found_and_counted(
    made: tuple[list[list[int]], bytes, choosing.Tables], data: st.DataObject
) -> None:
    rows, flags, tables = made
    asked = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1))))

    found = choosing.find_carried(
        tables, asked, bytes(flags[row] for row in asked), codes.ALLELES
    )

    wanted = []
    for place, row in enumerate(asked):
        chosen = [rows[row][column] for column in tables.picked]
        pairs = [codes.PAIRS[code & codes.PAIR] for code in chosen]
        alleles = Counter(allele for pair in pairs for allele in pair)
        counts = [alleles[number] for number in range(1, 10)]
        called = len(pairs) * 2 - alleles[codes.NO_ALLELE]
        people = sum(pair != (codes.NO_ALLELE, codes.NO_ALLELE) for pair in pairs)
        if any(counts):
            wanted.append((place, bytes(chosen), [*counts, called, people]))
    size, tally = len(tables.picked), choosing.TALLIES
    assert wanted == [
        (
            place,
            bytes(found.codes[number * size : (number + 1) * size]),
            found.tallies[number * tally : (number + 1) * tally],
        )
        for number, place in enumerate(found.places)
    ]


@given(coded())
def test_what_all_chosen_people_have_is_found(
    made: tuple[list[list[int]], bytes, choosing.Tables],
) -> None:
    rows, _, tables = made
    asked = list(range(len(rows)))

    found = choosing.find_common(tables, asked)

    chosen = [[row[column] for column in tables.picked] for row in rows]
    assert list(found) == [functools.reduce(operator.and_, row) for row in chosen]
    assert [list(choosing.gather(tables, row)) for row in asked] == chosen


@given(st.lists(st.tuples(CODES, CODES, st.booleans())))
def test_codes_are_spelled_by_the_table_of_their_row(
    rows: list[tuple[int, int, bool]],
) -> None:
    found = choosing.spell(
        bytearray(code for *pair, _ in rows for code in pair),
        bytes(is_second for *_, is_second in rows),
        PHASED,
        UNPHASED,
    )

    expected = b""
    for *pair, is_second in rows:
        table = UNPHASED if is_second else PHASED
        cells = [table[4 * code : 4 * code + 4] for code in pair]
        expected += b"".join([*cells, b"\n"])
    assert bytes(found) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"a\tb\tc\nd\te",  # a cell is missing
        b"a\tb\tc\nd\te\tf\tg",  # one too many
        b"a\tb\tc",  # a row is missing
        b"a\tb\tc\nd\te\tf\n",  # a row too many
        b"a\tb\tc\n" + b"d" * 99 + b"\te",  # as the first, in a long line
        b"a\tb\tc\n" + b"\t".join([b"d"] * 99),
        b"",
    ],
)
def test_text_with_other_rows_or_columns_is_refused(text: bytes) -> None:
    with pytest.raises(BuildFailed):
        choosing.pick(text, 2, 3, array("q", [0, 2]))


def test_cells_without_a_column_are_refused() -> None:
    with pytest.raises(BuildFailed):
        choosing.pick(b"a", 1, 0, array("q"))


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 4), (2, 3)])
def test_a_text_with_fewer_lines_is_refused(first: int, last: int) -> None:
    with pytest.raises(BuildFailed):
        choosing.lay([b"a\nb\nc\nd", b"a\nb"], first, last)


def test_a_table_with_fewer_rows_is_refused() -> None:
    tables = choosing.Tables([b"abcd", b"ef"], array("q", [2, 2]), array("I", [0]))
    with pytest.raises(BuildFailed):
        choosing.find_carried(tables, [0, 1], bytes(2), codes.ALLELES)
    with pytest.raises(BuildFailed):
        choosing.find_common(tables, [0, 1])
    with pytest.raises(BuildFailed):
        choosing.gather(tables, 1)
