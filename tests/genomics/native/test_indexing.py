"""Records are placed and binned as the specification says it, written out in Python."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics.errors import BuildFailed
from genomics.native import indexing

BLOCK = 50  # bytes of text
MAX_END = 1 << 29
RECORDS = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 1 << 18), st.integers(1, 120)),
    min_size=1,
    max_size=60,
).map(lambda found: [(pos, pos + span, size) for pos, span, size in sorted(found)])


def placed(
    records: list[tuple[int, int, int]], sizes: list[int], base: int = 1000
) -> indexing.Places:
    flat = array("q", [number for record in records for number in record])
    return indexing.place(flat, array("q", sizes), base, BLOCK)


def sizes_of(records: list[tuple[int, int, int]]) -> list[int]:
    """Return packed sizes for as many blocks as the text fills."""
    text = sum(size for *_, size in records)
    return [20 + number % 7 for number in range(-(-text // BLOCK))]


def reg2bin(start: int, end: int) -> int:
    """As the SAM specification has it, section 5.3."""
    end -= 1
    for first, shift in ((4681, 14), (585, 17), (73, 20), (9, 23), (1, 26)):
        if start >> shift == end >> shift:
            return first + (start >> shift)
    return 0


@given(RECORDS)
def test_records_open_and_close_where_their_text_does(
    records: list[tuple[int, int, int]],
) -> None:
    sizes = sizes_of(records)
    begins = [1000 + sum(sizes[:number]) for number in range(len(sizes) + 1)]

    found = placed(records, sizes)

    text = 0
    for number, (pos, end, size) in enumerate(records):
        assert found.starts_0[number] == max(pos, 1) - 1
        assert found.ends[number] == max(pos, end, 1)
        assert found.opens[number] == begins[text // BLOCK] << 16 | text % BLOCK
        text += size
        is_last = number == len(records) - 1
        closes = begins[text // BLOCK] << 16 | text % BLOCK
        assert found.closes[number] == (begins[-1] << 16 if is_last else closes)


@given(RECORDS)
def test_chunks_hold_the_records_of_their_bin_in_order(
    records: list[tuple[int, int, int]],
) -> None:
    places = placed(records, sizes_of(records))
    wanted: dict[int, list[list[int]]] = {}
    for start, end, opens, closes in zip(*places, strict=True):
        chunks = wanted.setdefault(reg2bin(start, end), [])
        if chunks and chunks[-1][1] >> 16 >= opens >> 16:
            chunks[-1][1] = closes
        else:
            chunks.append([opens, closes])

    bins, offsets = indexing.chunks(places)

    pairs = [list(pair) for pair in zip(offsets[::2], offsets[1::2], strict=True)]
    assert list(zip(bins, pairs, strict=True)) == [
        (number, chunk) for number in sorted(wanted) for chunk in wanted[number]
    ]


@given(RECORDS)
def test_windows_begin_with_the_first_record_that_reaches_them(
    records: list[tuple[int, int, int]],
) -> None:
    places = placed(records, sizes_of(records))

    found = indexing.reach(places)

    last = max(places.ends) - 1
    assert len(found) == (last >> 14) + 1
    for window, offset in enumerate(found):
        behind = [
            opens
            for end, opens in zip(places.ends, places.opens, strict=True)
            if (end - 1) >> 14 >= window
        ]
        assert offset == min(behind)


@pytest.mark.parametrize(
    ("records", "sizes"),
    [
        ([(1, 1, 60)], [20]),  # a block is missing
        ([(1, 1, 60)], [20, 20, 20]),  # one too many
        ([(1, 1, 0)], [20]),
        ([(1, 1, -5)], [20]),
        ([(1, 1, (1 << 63) - 1)], [20]),
        ([], [20]),
        ([(1, 1, 60)], [20, 0]),
        ([(1, 1, 60)], [20, -1]),
        ([(1, 1, 60)], [20, (1 << 16) + 1]),  # more than a block holds
        ([(1, 1, 60)], [(1 << 63) - 1, 20]),
    ],
)
def test_text_that_does_not_fill_its_blocks_is_refused(
    records: list[tuple[int, int, int]], sizes: list[int]
) -> None:
    with pytest.raises(BuildFailed):
        placed(records, sizes)


@pytest.mark.parametrize("base", [-1, (1 << 47) - 40, 1 << 47, (1 << 63) - 1])
def test_blocks_that_no_offset_reaches_are_refused(base: int) -> None:
    with pytest.raises(BuildFailed):
        placed([(1, 1, 60)], [20, 20], base)
    assert placed([(1, 1, 60)], [20, 20], (1 << 47) - 41).closes == array(
        "q", [((1 << 47) - 1) << 16]
    )


@pytest.mark.parametrize("end", [-1, 0, MAX_END + 1, (1 << 63) - 1])
def test_an_end_that_no_window_holds_is_refused(end: int) -> None:
    columns = [array("q", [number]) for number in (0, end, 0, 1)]
    with pytest.raises(BuildFailed):
        indexing.reach(indexing.Places(*columns))


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 5), (5, 5), (MAX_END - 1, MAX_END + 1), (0, 1 << 62)]
)
def test_a_record_that_no_bin_holds_is_refused(start: int, end: int) -> None:
    columns = [array("q", [number]) for number in (start, end, 0, 1)]
    with pytest.raises(BuildFailed):
        indexing.chunks(indexing.Places(*columns))


def test_the_last_base_of_the_longest_contig_has_a_bin() -> None:
    columns = [array("q", [number]) for number in (MAX_END - 1, MAX_END, 0, 1)]
    bins, _ = indexing.chunks(indexing.Places(*columns))
    assert list(bins) == [37448]
