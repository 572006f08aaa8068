import contextlib
import doctest
import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemmule.catalog import regions
from gemmule.catalog.errors import RegionsInvalid


def test_genes_and_bed_lines_mix() -> None:
    text = "# what we need\nBRCA1\nchr2\t10\t20\textra\n\n13 5 9\n"
    found = [str(region) for region in regions.parse(text, "GRCh38")]
    assert found == ["2:11-20", "13:6-9", "17:43044295-43170327"]


def test_genes_may_stand_side_by_side_and_in_any_case() -> None:
    apart = regions.parse("BRCA1\nBRCA2", "GRCh37")
    assert regions.parse("brca1, Brca2", "GRCh37") == apart
    assert regions.parse("BRCA1 BRCA2\r\n", "GRCh37") == apart
    assert len(apart) == 2


@pytest.mark.parametrize(
    "text",
    [
        "17:43044295-43125483",
        "chr17:43,044,295-43,125,483",
        "CHR17:43044295-43,125,483",
        "chr17\t43044294\t43125483",
        "17 43044294 43125483",
    ],
)
def test_a_region_may_be_written_as_people_do(text: str) -> None:
    (found,) = regions.parse(text, "GRCh38")
    assert str(found) == "17:43044295-43125483"


def test_regions_and_genes_stand_side_by_side() -> None:
    text = "M:7-9, 2:1,000-2,000,tp53 chrX:5-5"
    found = [str(region) for region in regions.parse(text, "GRCh38")]
    assert found == ["2:1000-2000", "17:7668421-7687490", "X:5-5", "MT:7-9"]


def test_gene_on_two_chromosomes_gives_both() -> None:
    assert [one.contig for one in regions.parse("SHOX", "GRCh38")] == ["X", "Y"]


def test_builds_place_a_gene_differently() -> None:
    assert regions.parse("BRCA1", "GRCh37") != regions.parse("BRCA1", "GRCh38")


def test_overlapping_regions_become_one() -> None:
    found = regions.parse("1\t0\t10\n1\t5\t20\nchr1\t20\t30", "GRCh38")
    assert [str(region) for region in found] == ["1:1-30"]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("BRCA1\nBRAC1\n", 2, 1, "no gene BRAC1 in GRCh38; did you mean"),
        ("BRCA1, BRAC1", 1, 2, "did you mean"),
        ("BRCA1 her2", 1, 2, "her2 is an alias of ERBB2: did you mean it?"),
        ("SEPT2", 1, 1, "of SEPTIN2 and an alias of SEPTIN6: which did you mean?"),
        ("qqqqqqqqqqqq", 1, 1, "give its HGNC symbol"),
        ("17", 1, 1, "expected a gene symbol, got a chromosome"),
        ("17:43044295", 1, 1, "write the region as"),
        ("BRCA1 17:0-5", 1, 2, "a first base from 1"),
        ("17:9-5", 1, 1, "a last one from it on"),
        ("17:5-999,999,999", 1, 1, "the length of 17 in GRCh38"),
        ("chrUn_KI270302v1:5-9", 1, 1, "expected a chromosome of GRCh38"),
        ("\n17\t9\t5", 2, 3, "expected an end above the start"),
        ("17\tx\t5", 1, 2, "expected a whole number"),
        ("17\t5", 1, 3, "the end is missing"),
        ("17\t5\t999999999", 1, 3, "the length of 17 in GRCh38"),
        ("chr99\t5\t9", 1, 1, "expected a chromosome of GRCh38"),
        ("   \n# nothing\n", None, None, "expected a gene symbol or a BED line"),
        ("", None, None, "expected a gene symbol or a BED line"),
    ],
)
def test_unusable_text_is_refused_with_its_place(
    text: str, line: int | None, column: int | None, message: str
) -> None:
    with pytest.raises(RegionsInvalid) as refused:
        regions.parse(text, "GRCh38")
    (problem,) = refused.value.problems
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)
    assert problem.message in str(refused.value)


def test_every_bad_line_is_listed_up_to_twenty() -> None:
    with pytest.raises(RegionsInvalid) as refused:
        regions.parse("17\t5\n" * 30, "GRCh38")
    assert [problem.line for problem in refused.value.problems] == list(range(1, 21))


def test_without_a_known_build_nothing_is_placed() -> None:
    for build in ("", "hg38", "T2T"):
        with pytest.raises(RegionsInvalid, match="GRCh37 or GRCh38"):
            regions.parse("BRCA1", build)
        with pytest.raises(RegionsInvalid, match="GRCh37 or GRCh38"):
            regions.withheld({"genes": ["BRCA1"]}, build)


def test_too_much_text_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("genomics.regions.MAX_BED_CHARACTERS", 10)
    with pytest.raises(RegionsInvalid, match="at most 10 characters"):
        regions.parse("BRCA1\nBRCA2", "GRCh38")
    monkeypatch.setattr("genomics.regions.MAX_REGIONS", 2)
    monkeypatch.setattr("genomics.regions.MAX_BED_CHARACTERS", 10_000)
    with pytest.raises(RegionsInvalid, match="at most 2 regions"):
        regions.parse("1\t5\t6\n" * 3, "GRCh38")


def test_withheld_gene_is_widened_on_both_sides() -> None:
    (bare,) = regions.parse("BRCA1", "GRCh38")
    (kept,) = regions.withheld({"genes": ["BRCA1"], "flank": 100}, "GRCh38")
    assert (kept.start_0, kept.end) == (bare.start_0 - 100, bare.end + 100)
    (default,) = regions.withheld({"genes": ["BRCA1"]}, "GRCh38")
    assert default.start_0 == bare.start_0 - 50_000


def test_withheld_region_is_placed_in_its_own_build_only() -> None:
    wish = {"regions": [["17", 100, 200]], "flank": 0, "build": "GRCh38"}
    assert [str(one) for one in regions.withheld(wish, "GRCh38")] == ["17:101-200"]
    with pytest.raises(RegionsInvalid, match="genome build"):
        regions.withheld(wish, "GRCh37")


@pytest.mark.parametrize(
    "wish",
    [
        {"genes": ["BRCA1", "NOTAGENE"]},
        {"regions": [["17", 5, 6]]},
        {"regions": [["17", 5, 5]], "build": "GRCh38"},
        {"regions": [["GL000207.1", 5, 6]], "build": "GRCh38"},
        {"genes": ["BRCA1"], "flank": -1},
        {"genes": ["BRCA1"], "flank": "50000"},
        {"genes": ["BRCA1"], "flank": True},
    ],
)
def test_wish_that_cannot_be_placed_whole_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(RegionsInvalid):
        regions.withheld(wish, "GRCh38")


def test_nothing_withheld_is_nothing() -> None:
    assert regions.withheld({}, "GRCh38") == []


@given(st.text(max_size=60))
def test_garbage_raises_only_the_error_of_the_room(text: str) -> None:
    # Any other exception fails the test.
    with contextlib.suppress(RegionsInvalid):
        assert regions.parse(text, "GRCh38")


def test_examples_of_the_docstrings_hold() -> None:
    failed, tried = doctest.testmod(inspect.getmodule(regions.parse))
    assert (failed, tried > 0) == (0, True)
