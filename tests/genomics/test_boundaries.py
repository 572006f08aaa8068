"""Regions asked for, spans withheld, spans closed to all."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics.errors import JobInvalid
from genomics.intervals import SpanIndex
from tests.genomics import sources
from tests.genomics.consistency import check_self_consistent
from tests.genomics.release import ANN_AND_CID, EVERYONE, Release, cut, source


def places(release: Release) -> list[str]:
    check_self_consistent(release.text)
    return [columns[1] for columns in release.records]


def genotypes(release: Release) -> list[list[str]]:
    check_self_consistent(release.text)
    return [columns[9:] for columns in release.records]


def withheld(**spans: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    return {"withheld": spans, "build": "GRCh38"}


@pytest.mark.parametrize(
    ("pos", "ref", "alt", "is_inside"),
    [
        (99, "A", "C", False),
        (100, "A", "C", False),
        (101, "A", "C", True),  # 1-based 101 is 0-based 100
        (200, "A", "C", True),
        (201, "A", "C", False),
        (95, "ACGTAC", "A", False),
        (95, "ACGTACG", "A", True),  # its last base is the first inside
        (100, "A", "ACC", False),  # bases put in before the first inside
        (200, "A", "ACC", True),
    ],
)
def test_a_record_is_inside_by_any_base_from_pos_to_end(
    pos: int, ref: str, alt: str, is_inside: bool
) -> None:
    text = source(f"20 {pos} . {ref} {alt} . . . GT 0/1 0/0 0/0")
    regions = (("20", 100, 200),)
    assert bool(places(cut(text, ANN_AND_CID, regions=regions))) is is_inside
    closed = places(cut(text, ANN_AND_CID, excluded_regions=regions))
    assert bool(closed) is not is_inside


def test_a_closed_record_counts_where_someone_else_would_have_had_it() -> None:
    text = source(
        "20 100 . A C . . . GT 0/1 0/0 0/0",  # Ann's own
        "20 101 . A C . . . GT 0/1 0/0 0/1",
        "20 102 . A C . . . GT 0/0 0/1 0/0",  # a stranger's
        "20 103 . A C . . . GT 0/0 0/0 0/1",
        "20 300 . A C . . . GT 0/0 0/0 0/1",
    )
    closed = (("20", 90, 200),)
    both = {**withheld(Ann=closed), "excluded_regions": closed}
    release = cut(text, ANN_AND_CID, **both)
    assert places(release) == ["300"]
    assert release.result.records_withheld == 2
    assert release.result.genotypes_withheld == 0
    asked = cut(text, ANN_AND_CID, regions=(("20", 102, 103),), **both)
    assert asked.result.records_withheld == 1


def test_a_closed_record_that_reaches_over_a_window_counts_once() -> None:
    border = 1 << 20
    text = source(
        f"20 {border - 1} . ACGTAC A . . . GT 0/1 0/0 0/0",
        # Trimmed to what Ann has it lies behind the border.
        f"20 {border - 1} . ACGTAC ACGTTC,A . . . GT 0/1 0/2 0/0",
    )
    release = cut(text, ANN_AND_CID, excluded_regions=(("20", 0, border + 9),))
    assert release.records == []
    assert release.result.records_withheld == 2


def test_symbolic_alleles_reach_as_far_as_their_length() -> None:
    record = "20 50 . A <DEL> . . SVLEN=-60 GT 0/1 0/0 0/0"
    assert places(cut(source(record), ANN_AND_CID, regions=(("20", 109, 110),)))
    assert not places(cut(source(record), ANN_AND_CID, regions=(("20", 110, 111),)))


def test_both_ends_of_a_breakend_are_kept_or_dropped() -> None:
    text = source(
        "20 50 . A A[21:900[ . . . GT 0/1 0/0 0/0",
        "21 900 . C ]20:50]C . . . GT 0/1 0/0 0/0",
        "21 950 . C T . . . GT 0/1 0/0 0/0",
    )
    for region in (("20", 49, 50), ("21", 899, 900)):
        assert places(cut(text, ANN_AND_CID, regions=(region,))) == ["50", "900"]
        closed = cut(text, ANN_AND_CID, excluded_regions=(region,))
        assert places(closed) == ["950"]
        assert closed.result.records_withheld == 2
        masked = cut(text, ANN_AND_CID, **withheld(Ann=(region,)))
        assert places(masked) == ["950"]


def test_an_old_translocation_has_another_end_too() -> None:
    text = source("20 50 . A <TRA> . . CHR2=21;END=900;SVTYPE=TRA GT 0/1 0/0 0/0")
    assert places(cut(text, ANN_AND_CID, regions=(("21", 899, 900),))) == ["50"]


@pytest.mark.parametrize("name", ["17", "chr17"])
@pytest.mark.parametrize("asked", ["17", "chr17"])
def test_names_of_a_chromosome_are_one(name: str, asked: str) -> None:
    text = source(f"{name} 150 . A C . . . GT 0/1 0/0 0/1")
    span = ((asked, 100, 200),)
    assert places(cut(text, ANN_AND_CID, regions=span)) == ["150"]
    assert genotypes(cut(text, ANN_AND_CID, **withheld(Ann=span))) == [["./.", "0/1"]]


def test_what_a_donor_withholds_is_missing_before_anything_is_counted() -> None:
    text = source(
        "20 150 . A C,G . . . GT:AD:PL 0/1:1,2,3:1,2,3,4,5,6 0/2:4,5,6:1,2,3,4,5,6 0/0",
        "20 250 . A C . . . GT:AD 0/1:1,2 0/0:3,4 1/1:5,6",
    )
    release = cut(text, EVERYONE, **withheld(Ann=(("20", 100, 200),)))
    check_self_consistent(release.text)
    assert release.records[0][4] == "G"
    assert release.records[0][7] == "AC=1;AF=0.25;AN=4;NS=2"
    assert release.records[0][9:] == ["./.:.:.", "0/1:4,6:1,4,6", "0/0:.:."]
    assert release.records[1][9] == "0/1:1,2"
    assert release.result.genotypes_withheld == 1


def test_a_missing_genotype_does_not_tell_of_what_was_withheld() -> None:
    # A haploid call amid a chromosome may itself tell of a deletion.
    text = source("20 150 . A C . . . GT 1 0/0 0/1")
    release = cut(text, ANN_AND_CID, **withheld(Ann=(("20", 100, 200),)))
    assert genotypes(release) == [["./.", "0/1"]]


def test_a_site_that_only_a_masked_donor_carries_is_dropped() -> None:
    text = source("20 150 . A C . . . GT 0/1 0/0 0/0")
    release = cut(text, EVERYONE, **withheld(Ann=(("20", 100, 200),)))
    assert genotypes(release) == []
    assert release.result.genotypes_withheld == 0


def test_a_masked_allele_pulls_nothing_into_a_region() -> None:
    # Ann's deletion reaches into the region; Cid's base change before it does not.
    ref = "C" + "A" * 60
    text = source(f"20 100 . {ref} C,T{ref[1:]} . . . GT 0/1 0/0 0/2")
    regions = (("20", 120, 300),)
    masked = withheld(Ann=(("20", 130, 140),))
    assert places(cut(text, ANN_AND_CID, regions=regions)) == ["100"]
    assert places(cut(text, ANN_AND_CID, regions=regions, **masked)) == []


def test_a_withheld_allele_masks_nobody_else() -> None:
    # Only Ann's own deletion reaches into what Ann and Cid withhold.
    ref = "C" + "A" * 60
    text = source(f"20 100 . {ref} C,T{ref[1:]} . . . GT 0/1 0/0 0/2")
    span = (("20", 130, 140),)
    release = cut(text, ANN_AND_CID, **withheld(Ann=span, Cid=span))
    assert genotypes(release) == [["./.", "0/1"]]


def test_an_allele_of_another_masks_a_donor_whose_span_it_reaches() -> None:
    # Cid's 0/0 says that Cid lacks a deletion that reaches into what Cid withholds.
    ref = "C" + "A" * 60
    text = source(f"20 100 . {ref} C . . . GT 0/1 0/0 0/0")
    release = cut(text, ANN_AND_CID, **withheld(Cid=(("20", 130, 140),)))
    assert genotypes(release) == [["0/1", "./."]]


@pytest.mark.parametrize(
    ("contig", "header"),
    [
        ("chr17_KI270857v1_alt", ""),
        ("NC_000017.10", ""),  # of the other build
        ("chr17", "##contig=<ID=chr17,length=81195210>"),  # of the other build
    ],
)
def test_where_coordinates_do_not_hold_donors_who_withhold_are_masked(
    contig: str, header: str
) -> None:
    text = source(f"{contig} 5 . A C . . . GT 0/1 0/0 0/1", header=header)
    release = cut(text, ANN_AND_CID, **withheld(Ann=(("17", 100, 200),)))
    assert genotypes(release) == [["./.", "0/1"]]
    closed = cut(
        text, ANN_AND_CID, excluded_regions=(("17", 100, 200),), build="GRCh38"
    )
    assert genotypes(closed) == []
    asked = cut(text, ANN_AND_CID, regions=(("17", 0, 200),), build="GRCh38")
    assert genotypes(asked) == []


def test_a_contig_named_by_the_donor_is_placed() -> None:
    text = source("GL000207.1 5 . A C . . . GT 0/1 0/0 0/1")
    away = withheld(Ann=(("GL000207.1", 100, 200),))
    assert genotypes(cut(text, ANN_AND_CID, **away)) == [["0/1", "0/1"]]
    here = withheld(Ann=(("GL000207.1", 0, 200),))
    assert genotypes(cut(text, ANN_AND_CID, **here)) == [["./.", "0/1"]]


def test_withheld_regions_without_a_build_are_refused() -> None:
    text = source("20 150 . A C . . . GT 0/1 0/0 0/1")
    with pytest.raises(JobInvalid, match="genome build"):
        cut(text, ANN_AND_CID, withheld={"Ann": (("20", 0, 5),)})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_value_stands_where_its_donor_withholds(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=12)
    outputs = {name: f"S{n}" for n, name in enumerate(group.names)}
    spans = {}
    for name in group.names:
        starts = rng.sample(range(0, sources.REFERENCE_BASES, 50), rng.randint(0, 4))
        spans[name] = tuple(
            (rng.choice(["20", "chr21"]), start, start + rng.randint(1, 600))
            for start in starts
        )
    text = sources.written(group, strangers=2, rng=rng)
    release = cut(text, outputs, withheld=spans, build="GRCh38")
    unmasked = cut(text, outputs)
    check_self_consistent(release.text)
    masked = 0
    for columns in release.records:
        info = dict(part.partition("=")[::2] for part in columns[7].split(";"))
        start_0 = int(columns[1]) - 1
        end = int(info.get("END", start_0 + len(columns[3])))
        for name, cell in zip(group.names, columns[9:], strict=True):
            if any(
                contig.removeprefix("chr") == columns[0]
                and first < end
                and start_0 < last
                for contig, first, last in spans[name]
            ):
                assert set(cell.replace("/", ":").split(":")) == {"."}
                masked += 1
    # Breakends are masked by their other end too, and are not counted here.
    assert masked <= release.result.genotypes_withheld
    assert release.result.records_out <= unmasked.result.records_out


def test_without_withheld_spans_nothing_is_masked() -> None:
    group = sources.people(random.Random(4))
    outputs = {name: f"S{n}" for n, name in enumerate(group.names)}
    text = sources.written(group)
    empty = cut(text, outputs, withheld=dict.fromkeys(group.names, ()), build="GRCh38")
    plain = cut(text, outputs, build="GRCh38")
    assert empty.text == plain.text
    assert empty.result.genotypes_withheld == 0


@given(
    spans=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 15))
    ),
    start_0=st.integers(0, 60),
    size=st.integers(1, 20),
)
def test_the_index_answers_as_a_search_through_all_spans(
    spans: list[tuple[str, int, int]], start_0: int, size: int
) -> None:
    whole = [(contig, start, start + length) for contig, start, length in spans]
    end = start_0 + size
    assert SpanIndex(whole).overlaps("a", start_0, end) == any(
        contig == "a" and start < end and start_0 < stop
        for contig, start, stop in whole
    )


def test_a_span_on_a_contig_outside_the_build_masks_the_others_all_the_same() -> None:
    text = source("un_1 150 . A C . . . GT 0/1 0/0 0/1")
    spans = withheld(Ann=(("un_1", 900, 950),), Cid=(("20", 5, 6),))
    # Ann has said what she means there, Cid has not.
    assert genotypes(cut(text, ANN_AND_CID, **spans)) == [["0/1", "./."]]
