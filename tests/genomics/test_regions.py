"""Regions, and the BED that people upload."""

import doctest
import itertools
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics import builds, genes, regions
from genomics.errors import BedInvalid
from genomics.regions import Region


@pytest.mark.parametrize("module", [builds, genes, regions])
def test_examples_in_docstrings_hold(module: types.ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed


def test_bed_is_read_with_headers_comments_blank_lines_and_crlf() -> None:
    text = (
        "\ufeffbrowser position chr7:1-100\r\n"
        'track name="pairedReads" description="Clone Paired Reads"\r\n'
        "# a comment\r\n"
        "\r\n"
        "chr2\t10\t20\tname\t960\t+\r\n"
        "chrM\t0\t5\r\n"
        "chr10 3 9\r\n"
        "   \r\n"
        "2\t0\t4"
    )
    assert regions.parse_bed(text, build="GRCh38") == [
        Region("2", 0, 4),
        Region("2", 10, 20),
        Region("10", 3, 9),
        Region("MT", 0, 5),
    ]


def test_bed_regions_are_merged_across_spellings() -> None:
    text = "chr3\t5\t9\n3\t8\t12\n3\t12\t13\nchrX\t1\t2\n"
    assert regions.parse_bed(text) == [Region("3", 5, 13), Region("X", 1, 2)]


def test_without_a_build_other_contigs_are_kept_and_ordered_last() -> None:
    text = "HLA-A*01:01:01:01\t0\t10\nGL000207.1\t2\t4\nMT\t3\t4\n"
    assert [region.contig for region in regions.parse_bed(text)] == [
        "MT",
        "GL000207.1",
        "HLA-A*01:01:01:01",
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("chr1", 1, 2, "the start is missing"),
        ("chr1\t5", 1, 3, "the end is missing"),
        ("# x\nchr1\t5\tten\n", 2, 3, "whole number"),
        ("chr1\t-5\t10", 1, 2, "whole number"),
        ("chr1\t1e3\t2000", 1, 2, "whole number"),
        ("chr1\t1_0\t20", 1, 2, "whole number"),
        ("chr1\t٣\t20", 1, 2, "whole number"),
        ("chr1\t\t20", 1, 2, "whole number"),
        ("chr1\t10\t10", 1, 3, "above the start"),
        ("chr1\t10\t9", 1, 3, "above the start"),
        ("chr1\t1\t3000000000", 1, 3, "at most 2147483647"),
        ("chr1\t1\t248956423", 1, 3, "at most 248956422"),
        ("chr1\t1\t2\nchr23\t1\t2", 2, 1, "a chromosome of GRCh38"),
        ("chr1;rm\t1\t2", 1, 1, "name of a contig"),
        ("\t1\t2", 1, 1, "name of a contig"),
        ("a\x00b\t1\t2", 1, 1, "name of a contig"),
        ("chr1\x0c\t1\t2", 1, 1, "name of a contig"),
        ("chr1\t1\x0b\t2", 1, 2, "whole number"),
        ("chr1\t1\t2\rchr1\t3\t4", 1, 3, "whole number"),
        ("", None, None, "at least one region"),
        ("# nothing\n\n", None, None, "at least one region"),
    ],
)
def test_bad_bed_is_refused_with_line_and_column(
    text: str, line: int | None, column: int | None, says: str
) -> None:
    with pytest.raises(BedInvalid) as refused:
        regions.parse_bed(text, build="GRCh38")
    assert (refused.value.line, refused.value.column) == (line, column)
    assert says in refused.value.message
    if line is not None:
        assert str(refused.value).startswith(f"line {line}, column {column}: ")


def test_the_last_base_of_a_chromosome_may_be_asked_for() -> None:
    text = "chr1\t248956421\t248956422"
    assert len(regions.parse_bed(text, build="GRCh38")[0]) == 1
    assert len(regions.parse_bed(text)[0]) == 1


def test_too_many_regions_and_too_long_a_text_are_refused() -> None:
    with pytest.raises(BedInvalid, match="at most 2 regions") as refused:
        regions.parse_bed("1\t1\t2\n1\t3\t4\n1\t5\t6\n", max_regions=2)
    assert refused.value.line == 3
    with pytest.raises(BedInvalid, match="characters"):
        regions.parse_bed("#" * (regions.MAX_BED_CHARACTERS + 1))


spans = st.tuples(
    st.sampled_from(["1", "2", "10", "X", "other"]),
    st.integers(0, 30),
    st.integers(1, 8),
).map(lambda span: Region(span[0], span[1], span[1] + span[2]))


@given(st.lists(spans, max_size=12))
def test_merging_keeps_every_base_and_leaves_gaps(given_: list[Region]) -> None:
    merged = regions.merge(given_)

    def bases(some: list[Region]) -> set[tuple[str, int]]:
        return {(r.contig, base) for r in some for base in range(r.start_0, r.end)}

    assert bases(merged) == bases(given_)
    assert regions.merge(reversed(merged)) == merged
    for left, right in itertools.pairwise(merged):
        assert left.contig != right.contig or left.end < right.start_0


@given(st.text(alphabet="chr12XM\t\n\r 0459-+.#abe\x00٣", max_size=60))
def test_any_text_is_regions_or_bed_invalid(text: str) -> None:
    refused: BedInvalid | None = None
    found: list[Region] = []
    try:
        found = regions.parse_bed(text, build="GRCh37")
    except BedInvalid as error:
        refused = error
    assert bool(found) is (refused is None)
    if refused is not None and refused.line is not None:
        assert 1 <= refused.line <= text.count("\n") + 1


def test_widening_stops_at_the_ends_of_the_contig() -> None:
    region = Region("MT", 100, 16_500)
    assert regions.widen(region, 500, build="GRCh37") == Region("MT", 0, 16_569)
    assert regions.widen(region, 500, build=None) == Region("MT", 0, 17_000)
    other = Region("GL1", 1_000, 2_000)
    assert regions.widen(other, 500, build="GRCh37") == Region("GL1", 500, 2_500)
