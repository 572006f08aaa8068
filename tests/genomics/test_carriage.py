"""Records without GT: who carries their alleles, and what is released of them.

`released` makes every release by columns and by text and compares the bytes.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from genomics.columnar import file
from genomics.columnar.cells import Row, Table
from genomics.errors import IntakeRefused
from tests.genomics.meaning import FIRST_AND_THIRD, erased, released, told, vcf
from tests.genomics.release import cut
from tests.genomics.uploads import take_in

DOSAGES = (
    "chr17 43130000 rs1 A G . PASS . DS:GP 0.98:0.1,0.82,0.08 0.02:0.98,0.02,0 "
    "1.9:0,0.1,0.9",
    "chr17 43131000 rs2 C T . PASS . DS 0.5 1.2 0",
)


def test_dosages_without_genotypes_are_released(tmp_path: Path) -> None:
    release = released(tmp_path, vcf("4.3", *DOSAGES))
    assert told(release) == [
        ("G", "NS=2", "GP:DS", ["0.1,0.82,0.08:0.98", "0,0.1,0.9:1.9"]),
        ("T", "NS=2", "DS", ["0.5", "0"]),
    ]
    assert not any("ID=AC" in line or "ID=GT" in line for line in release.header)


@pytest.mark.parametrize(
    ("form", "cells", "alts", "left"),
    [
        # minimac4, a man's X among them
        ("HDS", "0.3,0.3 0,0.9 0.1", "T", ["0.3,0.3", "0.1"]),
        ("HDS", "0.3,0 0,0.9 0.49", None, []),
        ("HDS:DS", "0,0.9:0.9 1,1:2 0,0:0", "T", ["0.9:0,0.9", "0:0,0"]),
        ("DS", "0.49 1.9 0.2", None, []),
        ("GP", "0.4,0.3,0.3 0,1,0 0.6,0.4,0", None, []),
        ("EC", "1 2 0", "T", ["1", "0"]),
        ("LAA:LEC", "1:2 1:1 .:.", "T", ["1:2", ".:."]),
    ],
)
def test_what_carries_without_a_genotype(
    tmp_path: Path, form: str, cells: str, alts: str | None, left: Sequence[str]
) -> None:
    row = f"chr17 9 . C T . . . {form} {cells}"
    found = told(released(tmp_path, vcf("4.3", row, *DOSAGES)))[:-2]
    assert [(record[0], record[3]) for record in found] == [(alts, left)] * bool(alts)


def test_an_allele_that_no_dosage_carries_goes_with_its_entries(tmp_path: Path) -> None:
    rows = (
        "chr17 9 . C T,G . . . DS 0.1,0.9 1.7,0 0,0.6",
        "chr17 10 . C T,G . . . HDS 0,0.9,0,0.2 1,0,1,0 0,0.6,0.3,0",
        "chr17 11 . C T,G . . . GP 0,0,0,1,0,0 0,1,0,0,0,0 0.6,0,0,0.4,0,0",
    )
    found = told(released(tmp_path, vcf("4.3", *rows)))
    assert [record[0] for record in found] == ["G", "G", "G"]
    assert [record[3] for record in found] == [
        ["0.9", "0.6"],
        ["0.9,0.2", "0.6,0"],
        ["0,1,0", "0.6,0.4,0"],
    ]


@pytest.mark.parametrize(
    ("alts", "cells", "left"),
    [
        ("<DEL>,<DUP>", "3:30 1:9 2:40", "<DUP>"),  # segments of gCNV
        ("<CNV>", "4:9 2:9 2:40", "<CNV>"),
        ("<CN0>,<CN3>,T", "1.4:9 3:9 2:40", "<CN0>"),
        ("<DEL>", "2:9 0:9 2:40", None),
    ],
)
def test_copies_other_than_two_carry(
    tmp_path: Path, alts: str, cells: str, left: str | None
) -> None:
    row = f"chr17 9 . C {alts} . . END=900;SVTYPE=CNV CN:CNQ {cells}"
    found = told(released(tmp_path, vcf("4.2", row, *DOSAGES)))
    assert [(record[0], record[2]) for record in found[:-2]] == (
        [(left, "CN")] if left else []
    )


@pytest.mark.parametrize(
    ("alts", "form", "cells", "left"),
    [
        ("<CNV>", "GT:CN", "./.:3 ./.:2 0/0:2", ["./.:3", "0/0:2"]),
        ("T", "GT:CN", "./.:3 0/1:2 ./.:2", None),  # copies say nothing of bases
        ("T", "GT:DS", "./.:0.98 0/1:1 0/0:0.9", ["./.:0.98", "0/0:0.9"]),
        ("T", "GT:GP", "./.:0,1,0 0/1:0,1,0 .:1,0,0", ["0,1,0", "1,0,0"]),
        ("<CNV>", "GT:CN", "./.:3 0/1:2 ./.:2", ["3", "2"]),  # GT goes with its calls
        ("T", "GT:GP", "./.:0,1 0/1:0,1,0 0/0:1,0,0", None),  # of another ploidy
        ("T", "GT:HDS", ".:0.6 0/1:0,1 0/0:0,0.9", [".:0.6", "0/0:0,0.9"]),
        ("T", "GT:DS", "0/.:0.98 0/1:1 ./.:0.4", None),  # one allele is called
    ],
)
def test_a_missing_genotype_leaves_it_to_the_other_values(
    tmp_path: Path, alts: str, form: str, cells: str, left: list[str] | None
) -> None:
    # Whoever is merged with a cohort of genotypes has GT, and it is missing.
    row = f"chr17 9 . C {alts} . . END=900 {form} {cells}"
    found = told(released(tmp_path, vcf("4.3", row, *DOSAGES)))[:-2]
    assert [record[3] for record in found] == ([left] if left else [])
    for _, info, form, _ in found:
        assert info.startswith("AC=0;AF=0;AN=2;NS=1" if "GT" in form else "NS=2")


def test_genotypes_of_others_do_not_show_beside_dosages(tmp_path: Path) -> None:
    # The same people alone, and merged with a cohort that has genotypes.
    alone = "chr17 9 . C T . . . DS 0.98 1 0.2"
    merged = "chr17 9 . C T . . . GT:DS ./.:0.98 0/1:. ./.:0.2"
    releases = [
        cut(vcf("4.3", row).decode(), FIRST_AND_THIRD) for row in (alone, merged)
    ]
    assert releases[0].variants == releases[1].variants


def test_a_masked_donor_has_no_dosage(tmp_path: Path) -> None:
    text = vcf("4.3", *DOSAGES).decode()
    spans = {"P1": (("17", 43129000, 43140000),)}
    release = cut(text, FIRST_AND_THIRD, build="GRCh38", withheld=spans)
    assert told(release) == [("G", "NS=1", "GP:DS", [".:.", "0,0.1,0.9:1.9"])]
    assert release.result.genotypes_withheld == 1


def test_a_dosage_of_somebody_left_out_keeps_no_record(tmp_path: Path) -> None:
    release = released(tmp_path, vcf("4.3", *DOSAGES), {"P3": "R2"})
    assert [row[1] for row in release.records] == ["43130000"]


def test_erasing_one_donor_leaves_the_dosages_of_the_others(tmp_path: Path) -> None:
    _, rows = erased(tmp_path, vcf("4.3", *DOSAGES), "P2")
    assert [row[8:] for row in rows] == [
        ["GP:DS", "0.1,0.82,0.08:0.98", "0,0.1,0.9:1.9"],
        ["DS", "0.5", "0"],
    ]


def test_a_file_of_which_nothing_can_be_released_is_refused(tmp_path: Path) -> None:
    rows = ("chr17 9 . C T . . . DP 3 4 5", "chr17 10 . C T . . . PL:LGT . . .")
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf("4.2", *rows))
    assert refused.value.code == "nothing-to-release"
    assert "DS" in refused.value.message


def test_intake_counts_records_by_what_tells_their_carriers(tmp_path: Path) -> None:
    rows = (
        "chr17 9 . C T . . . GT 0/1 0/0 0/0",
        "chr17 10 . C T . . . LGT:LA 0/1:0,1 0/0:0 0/0:0",
        "chr17 11 . C T . . . DS 0 1 0",
        "chr17 12 . C <DEL> . . . CN 0 1 2",
        "chr17 13 . C T . . . DP 3 4 5",
        "chr17 14 . C T . . . . . . .",
    )
    upload = vcf("4.2", *rows)
    result = take_in(tmp_path, upload)
    assert result.carriers == {
        "GT": 1,
        "LGT": 1,
        "GP, DS, HDS, EC or CN": 2,
        "none": 2,
    }
    line = len(upload.splitlines()) - 1
    first, second = result.warnings[:2]
    assert first.startswith(f"line {line - 3}: 5 of 6 record(s)")
    assert "1 by GT, 1 by LGT, 2 by GP, DS, HDS, EC or CN, 2 by none" in first
    assert second.startswith(f"line {line}: 2 record(s)")


def test_a_file_of_genotypes_gets_no_line_about_carriers(tmp_path: Path) -> None:
    result = take_in(tmp_path, vcf("4.2", "chr17 9 . C T . . . GT 0/1 0/0 0/0"))
    assert result.carriers["GT"] == 1
    assert not any("carrier" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("form", "cells", "is_fast"),
    [
        ("GT:DS:GP", ("0|1:1.02:0.01,0.96,0.03", "0|0:0:1,0,0"), True),  # Beagle
        # minimac4, which writes them in another order
        ("GT:DS:HDS:GP", ("0|1:1:0.02,0.98:0,1,0", "0|0:0:0,0:1,0,0"), True),
        ("GT:DS:GP", ("0|1:1.02:43,0,46", "0|0:0:0,9,9"), False),
        ("GT:DS:GP", ("0|1:1.02:0.1,0.6,0.1", "0|0:0:1,0,0"), False),
        ("GT:DS", ("./.:0.9", "0|0:0"), False),
        ("GT:DP", ("./.:9", "0|0:0"), True),
        ("GT:LGT", ("0|1:0|1", "0|0:0|0"), False),
        ("DS", ("1", "0"), False),
    ],
)
def test_rows_of_imputed_files_go_by_arrays(
    form: str, cells: tuple[str, str], *, is_fast: bool
) -> None:
    row = Row(form=form, alts=1, cells="\t".join(cells).encode())
    assert bool(Table([row], samples=2).flags[0] & file.IS_FAST) is is_fast


@pytest.mark.parametrize(
    ("genotypes", "is_warned"),
    [
        ("GT 0/0 0/0 ./.", True),
        ("GT:GQ 0/0:9 0/0:9 0/0:9", True),
        ("GT 0/0 0/1 0/0", False),
        ("GT:GQ 0/0:9 0/0:9 1:9", False),
        ("GT:DS 0/0:0 ./.:1 0/0:0", False),
    ],
)
def test_intake_says_that_nobody_carries_anything(
    tmp_path: Path, genotypes: str, is_warned: bool
) -> None:
    result = take_in(tmp_path, vcf("4.2", f"chr17 9 . C T . . . {genotypes}"))
    text = "no sample has an ALT allele in any of 1 record(s)"
    assert any(text in warning for warning in result.warnings) == is_warned
