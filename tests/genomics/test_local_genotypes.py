"""LGT, LAA and Hail's LA: local alleles are renumbered, and never relabelled.

`released` makes every release by columns and by text and compares the bytes.
"""

from pathlib import Path

import pytest

from genomics.errors import JobInvalid
from genomics.fields import FieldDefinition
from tests.genomics.meaning import FIRST_AND_THIRD, erased, released, told, vcf
from tests.genomics.release import cut
from tests.genomics.uploads import take_in


def test_local_alleles_of_an_older_file_are_renumbered(tmp_path: Path) -> None:
    row = (
        "chr17 9 . A C,G,T . . . GT:FT:LAA:LAD:LPL 1/3:PASS:1,3:0,4,5:90,60,50,40,0,30 "
        "0/0:PASS:.:9:0 0/2:LowGQ:2:5,5:50,0,40"
    )
    release = released(tmp_path, vcf("4.2", row), {"P1": "R0"})
    assert told(release)[0][0] == "C,T"
    assert told(release)[0][2:] == (
        "GT:LAA:FT:LAD:LPL",
        ["1/2:1,2:PASS:0,4,5:90,60,50,40,0,30"],
    )
    assert release.header[0] == "##fileformat=VCFv4.5"


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        # DRAGEN, LAA without the reference
        ("LGT:LAA:LAD", "1|2:1,3:0,4,5 0/0:.:9 0/1:2:5,5"),
        # Hail, LA with it
        ("LGT:LA:LAD:LPGT", "1|2:0,1,3:0,4,5:1|2 0/0:0:9:0|0 0/1:0,2:5,5:0|1"),
    ],
)
def test_local_genotypes_are_written_as_genotypes(
    tmp_path: Path, form: str, cells: str
) -> None:
    row = f"chr17 9 . A C,G,T . . . {form} {cells}"
    release = released(tmp_path, vcf("4.2", row), {"P1": "R0", "P2": "R1"})
    ((alts, info, left, columns),) = told(release)
    assert (alts, left) == ("C,T", "GT:LAA:LAD")
    assert columns == ["1|2:1,2:0,4,5", "0/0:.:9"]
    assert info == "AC=1,1;AF=0.25,0.25;AN=4;NS=2"


def test_a_local_genotype_outside_its_list_is_missing(tmp_path: Path) -> None:
    row = "chr17 9 . A C,G . . . LGT:LA:LAD 0/1:1,2:3,4 1/1:0,1:0,9 0/1:0,2:3,4"
    ((alts, _, _, cells),) = told(released(tmp_path, vcf("4.2", row)))
    assert (alts, cells) == ("G", ["./.:.:.", "0/1:1:3,4"])


@pytest.mark.parametrize("key", ["LGT", "LA", "LPGT"])
def test_no_list_of_a_steward_releases_local_numbers_as_they_stand(key: str) -> None:
    extra = (FieldDefinition(id=key, number=".", type="String", description="x"),)
    with pytest.raises(JobInvalid, match=f"no {key} in format_keep"):
        cut(vcf("4.3").decode(), FIRST_AND_THIRD, format_keep=extra)


def test_erasure_keeps_fields_beside_copies_and_local_genotypes(tmp_path: Path) -> None:
    rows = (
        "chr17 9 . C <DUP> . . END=900 CN:CNQ 3:30 1:9 2:40",
        "chr17 10 . A C,G . . . LGT:LA:LAD:DP 0/1:0,2:3,4:7 1/1:0,1:0,9:9 0/0:0:5:5",
    )
    _, left = erased(tmp_path, vcf("4.2", *rows), "P2")
    assert [row[8:] for row in left] == [
        ["CN:CNQ", "3:30", "2:40"],
        ["GT:LAA:DP:LAD", "0/1:1:7:3,4", "0/0:.:5:5"],
    ]


def test_intake_says_which_local_alleles_a_release_drops(tmp_path: Path) -> None:
    rows = (
        "chr17 9 . A C,G . . . LGT:LA:LAD 0/1:1,2:3,4 0/2:0,1:0,9 0/1:0,2:3,4",
        "chr17 10 . A C,G . . . LGT:LAA 0/1:1 0/0:3 .:.",
        "chr17 11 . A C,G . . . GT:LAD 0/1:3,4 0/0:3 0/0:.",
    )
    upload = vcf("4.2", *rows)
    first = len(upload.splitlines()) - 2
    warnings = take_in(tmp_path, upload).warnings
    found = [text for text in warnings if "local" in text]
    assert found[0].startswith(f"line {first}: 3 sample(s)")
    assert found[1].startswith(f"line {first + 2}: 1 record(s)")


def test_a_genotype_counts_before_a_local_one(tmp_path: Path) -> None:
    row = "chr17 9 . A C,G . . . GT:LGT:LA 0/1:0/1:0,2 ./.:0/1:0,1 ./.:.:0,2"
    ((alts, _, _, cells),) = told(released(tmp_path, vcf("4.2", row)))
    assert (alts, [cell.split(":")[0] for cell in cells]) == ("C", ["0/1", "./."])
