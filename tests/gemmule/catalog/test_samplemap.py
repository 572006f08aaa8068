import contextlib
import csv
import io
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemmule.catalog import samplemap
from gemmule.catalog.errors import SampleMapInvalid
from gemmule.catalog.samplemap import Row

ONE = UUID("3f0c1f6e-6a1b-4f0e-9d35-0c3b2c2b8f11")
TWO = UUID("7d1a9a3c-18c7-4a55-8a53-5f1f5b0f5a02")


def test_rows_carry_their_line_and_an_empty_donor_is_on_purpose() -> None:
    text = f"sample,donor\r\nNA00001,{ONE}\r\n\r\nNA12878,\r\n"
    assert samplemap.read(text.encode()) == [
        Row(line=2, sample="NA00001", donor_id=ONE),
        Row(line=4, sample="NA12878", donor_id=None),
    ]


def test_byte_order_mark_and_capitals_in_the_header_are_taken() -> None:
    data = b"\xef\xbb\xbfSample, Donor\nNA00001," + str(ONE).encode()
    assert [row.sample for row in samplemap.read(data)] == ["NA00001"]


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"", "expected the header line sample,donor", 1, None),
        (b"NA1,x\n", "expected the header line sample,donor", 1, None),
        (b"sample;donor\nNA1;x\n", "got semicolons", 1, None),
        (b"sample,donor\nNA1\n", "expected 2 columns, got 1", 2, 2),
        (b"sample,donor\nNA1,,x\n", "expected 2 columns, got 3", 2, 3),
        (b"sample,donor\nNA1,7\n", "expected the id of a donor", 2, 2),
        (b"sample,donor\n,\n", "expected a sample name", 2, 1),
        (b"sample,donor\n" + b"x" * 256 + b",\n", "of 1 to 255", 2, 1),
        (b'sample,donor\n"NA1"x,\n', "expected CSV", 2, None),
        (b'sample,donor\n"NA1,\n', "expected CSV", 2, None),
        (b"sample,donor\nNA1,\nM\xfcller,\n", "expected text in UTF-8", 3, None),
        (b"sample,donor\nN\0A1,\n", "got a zero byte", 2, None),
    ],
)
def test_malformed_map_is_refused_with_its_place(
    data: bytes, message: str, line: int, column: int | None
) -> None:
    with pytest.raises(SampleMapInvalid) as refused:
        samplemap.read(data)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_every_bad_line_is_listed() -> None:
    with pytest.raises(SampleMapInvalid, match="and 2 more") as refused:
        samplemap.read(b"sample,donor\nNA1,7\nNA2\nNA3,\n,\n")
    assert [problem.line for problem in refused.value.problems] == [2, 3, 5]


def test_map_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samplemap, "MAX_BYTES", 20)
    with pytest.raises(SampleMapInvalid, match="at most 20 bytes"):
        samplemap.read(b"sample,donor\nNA00001,\n")


def test_fitting_map_has_no_problems() -> None:
    rows = samplemap.read(f"sample,donor\nB,{ONE}\nA,\n".encode())
    assert samplemap.compare(rows, ["A", "B"], frozenset({ONE})) == []


def test_mismatches_are_listed_by_kind() -> None:
    text = f"sample,donor\nA,{ONE}\nX,\nB,{TWO}\nB,\nC,{ONE}\n"
    problems = samplemap.compare(
        samplemap.read(text.encode()), ["A", "B", "C", "D"], frozenset({ONE})
    )
    assert [(one.code, one.line, one.column, one.subject) for one in problems] == [
        ("sample-without-row", None, None, "D"),
        ("sample-not-in-files", 3, 1, "X"),
        ("donor-unknown", 4, 2, "B"),
        ("sample-twice", 5, 1, "B"),
        ("donor-twice", 6, 2, "C"),
    ]


def test_names_stay_out_of_messages() -> None:
    rows = samplemap.read(f"sample,donor\nSecret,{ONE}\nSecret,{TWO}\n".encode())
    problems = samplemap.compare(rows, ["Other"], frozenset())
    text = str(SampleMapInvalid(problems)) + "".join(one.message for one in problems)
    assert "Secret" not in text
    assert str(ONE) not in text


def test_digest_depends_on_pairs_and_not_on_their_order() -> None:
    pairs = {"A": ONE, "B": None}
    assert samplemap.digest(pairs) == samplemap.digest({"B": None, "A": ONE})
    assert samplemap.digest(pairs) != samplemap.digest({"A": None, "B": ONE})
    assert samplemap.digest(pairs) != samplemap.digest({"A": ONE})


@pytest.mark.parametrize("sign", list("=+-@'"))
def test_written_cells_are_no_formulas(sign: str) -> None:
    name = f"{sign}HYPERLINK(1)"
    written = samplemap.write([(name, None)])
    (_, (cell, _)) = csv.reader(io.StringIO(written))
    assert cell == f"'{name}"
    assert samplemap.read(written.encode())[0].sample == name


names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=40
)


@given(st.dictionaries(names, st.sampled_from([ONE, TWO, None]), max_size=8))
def test_what_was_written_is_read(pairs: dict[str, UUID | None]) -> None:
    rows = samplemap.read(samplemap.write(pairs.items()).encode())
    assert {row.sample: row.donor_id for row in rows} == pairs


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_raises_only_the_error_of_the_room(data: bytes) -> None:
    # Any other exception fails the test.
    with contextlib.suppress(SampleMapInvalid):
        rows = samplemap.read(data)
        assert len(samplemap.compare(rows, [], frozenset())) >= len(rows)
