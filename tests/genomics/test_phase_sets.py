"""Phase sets are numbered within a release, and cut where something is kept back.

`cut` makes every release by text and by columns and compares them.
"""

import gzip
import os
import random
import tempfile
import tracemalloc
from dataclasses import astuple
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from genomics import by_columns
from genomics.columnar import file
from genomics.job import SubsetJob
from genomics.phase_sets import PhaseSets, Unnumbered
from genomics.windows import WIDTH
from tests.genomics.release import (
    ANN_AND_CID,
    Release,
    cut,
    cut_upload,
    source,
    write_columns,
)

BRCA1 = ("17", 43044294, 43125483)
HEADER = """\
##contig=<ID=chr17,length=83257441>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=PS,Number=1,Type={kind},Description="Phase set">
"""
# As WhatsHap, GATK and LongPhase name sets: after the first heterozygote.
NAMED_BY_POSITION = [
    "chr17 43120000 . C T . PASS . GT:PS 0|1:43120000 0/1:. 0/0:.",
    "chr17 43130000 . A G . PASS . GT:PS 0|1:43120000 0/1:. 0/1:.",
    "chr17 43131000 . T C . PASS . GT:PS 1|0:43120000 0/0:. 0/1:.",
]


def released(*rows: str, kind: str = "Integer", **options: Any) -> Release:
    """Take an upload of Ann, Ben and Cid in and release Ann and Cid, in parts too."""
    options.setdefault("build", "GRCh38")
    options.setdefault("samples", tuple(ANN_AND_CID.items()))
    options = {"regions": None, "withheld": {}, "excluded_regions": ()} | options
    upload = source(*rows, header=HEADER.format(kind=kind)).encode()
    with tempfile.TemporaryDirectory() as folder:
        return cut_upload(Path(folder), upload, parts=2, **options)


def ann(release: Release) -> list[str]:
    return [record[9] for record in release.records]


def row(pos: int, cell: str, form: str = "GT:PS", alts: str = "C") -> str:
    return f"20 {pos} . A {alts} . . . {form} {cell} 0/1 0/1"


def cells(*rows: str, **options: Any) -> list[str]:
    """Return Ann's cells of a release of her and Cid."""
    return ann(cut(source(*rows), ANN_AND_CID, **options))


def test_sets_that_are_named_by_text_stay_apart() -> None:
    """Genome in a Bottle declares PS as String: PATMAT, HOMVAR and other names."""
    release = released(
        "chr17 43100000 . C T . PASS . GT:PS 0|1:A_100 0/1:. 1|1:HOMVAR",
        "chr17 43101000 . A G . PASS . GT:PS 0|1:A_100 0/0:. 0|1:PATMAT",
        "chr17 43110000 . A G . PASS . GT:PS 1|0:B_200 0/1:. 0/1:.",
        "chr17 43111000 . T G . PASS . GT:PS 0|1:B_200 0/0:. 0/1:.",
        kind="String",
    )
    assert [record[8:] for record in release.records] == [
        ["GT:PS", "0|1:1", "1|1:1"],
        ["GT:PS", "0|1:1", "0|1:2"],
        ["GT:PS", "1|0:2", "0/1:."],
        ["GT:PS", "0|1:2", "0/1:."],
    ]
    assert '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">' in (
        release.header
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"withheld": {"Ann": (BRCA1,)}}, ["0|1:1", "1|0:1"]),
        ({"regions": (("17", 43126000, 43140000),)}, ["0|1:1", "1|0:1"]),
        ({"excluded_regions": (BRCA1,)}, ["0|1:1", "1|0:1"]),
        (
            {"excluded_regions": (BRCA1,), "withheld": {"Ann": (BRCA1,)}},
            ["0|1:1", "1|0:1"],
        ),
        # Nothing is withheld: the number is no position all the same.
        ({}, ["0|1:1", "0|1:1", "1|0:1"]),
    ],
)
def test_no_set_is_named_after_a_place_that_is_not_released(
    options: dict[str, Any], expected: list[str]
) -> None:
    release = released(*NAMED_BY_POSITION, **options)
    assert ann(release) == expected
    assert all("43120000" not in cell for cell in ann(release))


def test_a_masked_singleton_takes_no_number() -> None:
    """Ann's set 7 lies inside what she withholds; Ben's record stays for Cid."""
    rows = [row(10, "0|1:5"), row(20, "0|1:7"), row(30, "1|0:9")]
    spans = {"Ann": (("20", 15, 25),)}
    found = cells(*rows, build="GRCh38", withheld=spans)
    assert found == ["0|1:1", "./.", "1|0:2"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["1", "1", "1", "1"]),
        ({"withheld": {"Ann": (("20", 24, 28),)}}, ["1", "1", "2", "2"]),
        ({"withheld": {"Cid": (("20", 24, 28),)}}, ["1", "1", "1", "1"]),
        ({"excluded_regions": (("20", 24, 25),)}, ["1", "1", "2", "2"]),
        ({"regions": (("20", 0, 24), ("20", 26, 90))}, ["1", "1", "2", "2"]),
        # These touch: nothing between them is kept back.
        ({"regions": (("20", 0, 24), ("20", 24, 90))}, ["1", "1", "1", "1"]),
        # Two spans between the same sites, and one before all.
        (
            {
                "withheld": {"Ann": (("20", 0, 5), ("20", 11, 13), ("20", 15, 18))},
                "excluded_regions": (("20", 32, 33),),
            },
            ["1", "2", "2", "3"],
        ),
    ],
)
def test_a_set_is_cut_at_each_span_that_is_kept_back(
    options: dict[str, Any], expected: list[str]
) -> None:
    """Nobody has anything in these spans, and that must not show either."""
    rows = [row(pos, "0|1:5") for pos in (10, 20, 30, 40)]
    found = cells(*rows, build="GRCh38", **options)
    assert [cell.partition(":")[2] for cell in found] == expected


def test_a_deletion_that_reaches_into_a_region_is_cut_off_from_it() -> None:
    """Between its POS and the region lie bases that were not requested."""
    rows = [
        "20 10 . ACGTACGTAC A . . . GT:PS 0|1:5 0/1 0/1",
        row(18, "0|1:5"),
    ]
    found = cells(*rows, build="GRCh38", regions=(("20", 16, 30),))
    assert found == ["0|1:1", "0|1:2"]


def test_sets_may_interleave_and_start_anew_on_each_contig() -> None:
    rows = [
        row(10, "0|1:8"),
        row(20, "0|1:9"),
        row(30, "0|1:8"),
        row(40, "0|1:9"),
        row(50, "0|1:08"),
        "21 5 . A C . . . GT:PS 0|1:9 0/1 0/1",
    ]
    numbers = [cell.partition(":")[2] for cell in cells(*rows)]
    assert numbers == ["1", "2", "1", "2", "3", "1"]


@pytest.mark.parametrize("name", ["Cid", "C0", "GMR000001", "1*5*1", "-1", "é"])
def test_any_text_is_a_name(name: str) -> None:
    rows = [row(10, "0|1:1"), row(20, f"0|1:{name}"), row(30, f"1|0:{name}")]
    assert cells(*rows) == ["0|1:1", "0|1:2", "1|0:2"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0|1:5", "0|1:1"),
        (".|1:5", ".|1:1"),
        ("1:5", "1:1"),  # a haploid genotype is phased
        ("0/1|1:5", "0/1|1:1"),
        ("0/1:5", "0/1"),
        (".:5", "."),
        ("0|1:.", "0|1"),
        ("0|1", "0|1"),
        # A leading mark that the others imply; then some that they do not.
        ("|0|1:5", "0|1:1"),
        ("|1:5", "1:1"),
        ("/0/1:5", "0/1"),
        ("/0|1:5", "0/1"),
        ("|0/1:5", "0/1"),
        ("/1:5", "1"),
        ("|0/1|1:5", "0/1/1"),
        ("/0/1|1:5", "0/1|1:1"),
    ],
)
def test_a_phased_genotype_keeps_a_number_or_its_phase_goes(
    cell: str, expected: str
) -> None:
    release = cut(source(row(10, cell), row(20, "0|1:5")), ANN_AND_CID)
    assert ann(release)[0] == expected
    assert release.header[0] == "##fileformat=VCFv4.3"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0|1:a,a:1,2:9,9", "0|1:1"),
        ("0|1:a,b:1,2:9,9", "0/1"),
        ("0|1:a,.:1,.:9,9", "0/1"),
        ("0|1:a:1:9", "0/1"),
        ("0|1:.:.:.", "0|1"),
        ("0|1", "0|1"),
        ("0/1:a,a:1,2:9,9", "0/1"),
        ("0/1|1:.,.,a:.,.,1:.,.,9", "0/1|1:1"),
        ("/0|1:.,a:.,1:.,9", "0/1"),
        ("1:a:1:9", "1:1"),
        ("0|1:1*5*1,1*5*1", "0|1:1"),
    ],
)
def test_a_list_of_sets_becomes_one_set_or_the_phase_goes(
    cell: str, expected: str
) -> None:
    found = cells(row(10, cell, "GT:PSL:PSO:PSQ"))
    assert found == [expected]


def test_a_genotype_in_two_kinds_of_sets_is_unphased() -> None:
    assert cells(row(10, "0|1:5:5,5", "GT:PS:PSL")) == ["0/1"]
    # A name in PS and the same in PSL are two sets.
    rows = [row(10, "0|1:5"), row(20, "0|1:5,5", "GT:PSL"), row(30, "0|1:5")]
    assert cells(*rows) == ["0|1:1", "0|1:2", "0|1:1"]


def test_sets_go_on_across_the_borders_of_windows() -> None:
    rows = [
        f"chr17 {n * WIDTH + 9} . A C . . . GT:PS 0|1:{n % 3} 0/1 0/1" for n in range(9)
    ]
    release = released(*rows)
    assert [cell.partition(":")[2] for cell in ann(release)] == list("123123123")


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_numbers_alike(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """The windows of a contig that names sets go to one of them."""
    monkeypatch.setattr(by_columns, "_WORTHWHILE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(workers))
    drawn = random.Random(workers)
    rows = [
        f"{contig} {window * WIDTH + place} . A C . . . {form} "
        + " ".join(f"0|1:{drawn.choice('abc')}"[:size] for _ in "123")
        for contig, form, size in (
            ("17", "GT:PS", 5),
            ("18", "GT", 3),
            ("20", "GT:PS", 5),
        )
        for window in range(4)
        for place in (5, 6, 900)
    ]
    cells = [record[9:] for record in cut(source(*rows), ANN_AND_CID).records]
    assert len(cells) == 36
    assert all(cell[4:] <= "3" for record in cells for cell in record)


def test_columns_of_before_do_not_say_what_names_sets(tmp_path: Path) -> None:
    """So they are not used: what cuts them would copy names."""
    path = tmp_path / "source.vcf.gz"
    path.write_bytes(gzip.compress(source(row(10, "0|1:5")).encode()))
    with (
        mock.patch.object(file, "VERSION", 4),
        mock.patch.object(file, "astuple", lambda place: astuple(place)[:-1]),
    ):
        digest = write_columns(path)
    asked = SubsetJob(
        source=path,
        samples=(("Ann", "A0"),),
        recipient_public_key=bytes(32),
        output_dir=tmp_path,
        name="GMR000001",
        columns_sha256=digest,
    )
    assert by_columns.open_columns(asked) is None


def test_a_record_is_numbered_where_the_release_has_it() -> None:
    """Trimmed, the first of these stands last."""
    rows = [
        "20 100 . CAAAT C,CAAAG . . . GT:PS 0|2:7 1/1:. 0/0:.",
        "20 101 . A G . . . GT:PS 0|1:8 1/1:. 0/0:.",
    ]
    release = cut(source(*rows), ANN_AND_CID)
    assert [(r[1], r[9]) for r in release.records] == [
        ("101", "0|1:1"),
        ("104", "0|1:2"),
    ]


def test_records_that_are_alike_but_for_their_sets_keep_the_order_of_the_source() -> (
    None
):
    rows = [row(10, "0|1:9"), row(10, "0|1:3"), row(20, "0|1:3"), row(20, "0|1:9")]
    assert cells(*rows) == ["0|1:1", "0|1:2", "0|1:2", "0|1:1"]


def test_names_of_the_source_change_no_byte() -> None:
    drawn = random.Random(3)
    sets = [[drawn.choice("abc") for _ in range(30)] for _ in "12"]
    made = []
    for names in ({"a": "5", "b": "6", "c": "7"}, {"a": "z", "b": "07", "c": "7" * 40}):
        rows = [
            f"20 {n + 9} . A C . . . GT:PS 0|1:{names[one]} 0/0:99 1|0:{names[two]}"
            for n, (one, two) in enumerate(zip(*sets, strict=True))
        ]
        made.append(cut(source(*rows), ANN_AND_CID))
    assert made[0].variants == made[1].variants


def test_a_set_takes_few_bytes_until_its_contig_ends() -> None:
    """A thousand samples of 5,000 sets each are 5 million of them."""
    sets = PhaseSets()
    cells = b"\0\t" * 10
    tracemalloc.start()
    try:
        for n in range(5_000):
            named = tuple((column, str(n * 1000 + column), 0) for column in range(10))
            sets.number("1", cells, Unnumbered(n, named))
        used, _ = tracemalloc.get_traced_memory()
        assert used < 10 * 5_000 * 16
        sets.number("2", b"\0", Unnumbered(0, ((0, "1", 0),)))
        assert tracemalloc.get_traced_memory()[0] < used / 10
    finally:
        tracemalloc.stop()
