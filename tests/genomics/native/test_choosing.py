"""What is compiled does what a few lines of Python do, and refuses damaged text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics.errors import BuildFailed
from genomics.native import choosing

CELLS = st.binary(max_size=20).map(
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

    found = choosing.pick(text, len(rows), columns_of(rows), np.array(places))

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


@given(st.data())
def test_codes_are_gathered_as_numpy_would(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    widths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    made = [
        np.frombuffer(
            data.draw(st.binary(min_size=count * width, max_size=count * width)),
            np.uint8,
        ).reshape(count, width)
        for width in widths
    ]
    rows = np.array(
        sorted(data.draw(st.sets(st.integers(0, count - 1)))), dtype=np.int64
    )
    picked = np.array(
        data.draw(st.lists(st.integers(0, sum(widths) - 1), min_size=1)), np.uint32
    )

    found = choosing.gather([table.tobytes() for table in made], widths, rows, picked)

    assert (found == np.concatenate(made, axis=1)[rows][:, picked]).all()


@pytest.mark.parametrize(
    "text",
    [
        b"a\tb\tc\nd\te",  # a cell is missing
        b"a\tb\tc\nd\te\tf\tg",  # one too many
        b"a\tb\tc",  # a row is missing
        b"a\tb\tc\nd\te\tf\n",  # a row too many
        b"",
    ],
)
def test_text_with_other_rows_or_columns_is_refused(text: bytes) -> None:
    with pytest.raises(BuildFailed):
        choosing.pick(text, 2, 3, np.array([0, 2]))


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 4), (2, 3)])
def test_a_text_with_fewer_lines_is_refused(first: int, last: int) -> None:
    with pytest.raises(BuildFailed):
        choosing.lay([b"a\nb\nc\nd", b"a\nb"], first, last)


def test_a_table_with_fewer_rows_is_refused() -> None:
    with pytest.raises(BuildFailed):
        choosing.gather(
            [b"abcd", b"ef"], [2, 2], np.array([0, 1]), np.array([0], np.uint32)
        )
