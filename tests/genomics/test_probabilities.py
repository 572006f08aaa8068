"""GP is released as probabilities, whatever the upload's version makes of it.

The first inputs are made after public reports (hts-specs 260, gatk 7390). `released`
makes every release by columns and by text and compares the bytes.
"""

from pathlib import Path

import pytest

from genomics.fields import FieldDefinition
from tests.genomics.meaning import FIRST_AND_THIRD, erased, released, text_of, told, vcf
from tests.genomics.release import cut
from tests.genomics.uploads import take_in


def test_gp_scaled_by_phred_becomes_probabilities(tmp_path: Path) -> None:
    row = (
        "chr17 9 . C T . . . GT:GP 0/1:43.0,0.00022,46.0 0/0:0,9,9 1/1:450,35.2,0.0013"
    )
    release = released(tmp_path, vcf("4.2", row))
    ((_, _, form, cells),) = told(release)
    assert form == "GT:GP"
    assert cells == [
        "0/1:5.01175e-05,0.999925,2.51182e-05",
        "1/1:9.99997e-46,0.000301994,0.999698",
    ]
    assert release.header[0] == "##fileformat=VCFv4.3"


def test_probabilities_of_an_old_file_stay_as_they_are_written(tmp_path: Path) -> None:
    row = (
        "chr17 9 . C T . . . GT:DS:GP 0|1:1.02:0.01,0.96,0.03 0|0:0:1,0,0 "
        "1|1:1.98:0,0.020,0.98"
    )
    ((_, _, form, cells),) = told(released(tmp_path, vcf("4.1", row)))
    assert form == "GT:GP:DS"
    assert cells == ["0|1:0.01,0.96,0.03:1.02", "1|1:0,0.020,0.98:1.98"]


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        ("4.1", "0,3,30", "0.665696,0.333638,0.000665696"),
        ("4.3", "43,0.00022,46", "."),  # no version after 4.2 has Phred
        ("4.2", "0.3,0.2,0.2", "."),
        ("4.3", "0.35,0.33,0.35", "0.35,0.33,0.35"),
        ("4.2", "-0.1,-3,-9", "."),
        ("4.2", "1.001,0,0", "."),  # rounded, or Phred: it can be read two ways
        ("4.2", "0.5,.,0.5", "."),
        ("4.2", "5000,5000,5010", "0.47619,0.47619,0.047619"),
        ("4.2", "nan,1,2", "."),
        ("4.2", "0,inf,inf", "1,0,0"),
    ],
)
def test_each_gp_is_judged_by_itself(
    tmp_path: Path, version: str, value: str, expected: str
) -> None:
    row = f"chr17 9 . C T . . . GT:GP 0/1:{value} 0/0:1,0,0 1/1:0,0,1"
    ((*_, cells),) = told(released(tmp_path, vcf(version, row)))
    assert cells == [f"0/1:{expected}", "1/1:0,0,1"]


def test_gp_of_a_haploid_x_is_read_by_its_own_ploidy(tmp_path: Path) -> None:
    rows = (
        "chrX 9 . C T . . . GT:GP 1:20,0.04 0/0:0,9,9 0/1:9,0,9",
        "chrX 10 . C T . . . GP 20,0.04 0,9,9 0,9,9",
    )
    first, second = told(released(tmp_path, vcf("4.2", *rows)))
    assert first[3] == ["1:0.00999169,0.990008", "0/1:0.10057,0.798859,0.10057"]
    assert second[2:] == ("GP", ["0.00999169,0.990008", "0.798859,0.10057,0.10057"])


def test_gp_is_normalised_when_alleles_go(tmp_path: Path) -> None:
    row = (
        "chr17 9 . C T,G . . . GT:GP 0/1:0.2,0.3,0,0.4,0.1,0 "
        "0/2:0,0,0,1,0,0 0/1:0.25,0.75,0,0,0,0"
    )
    ((alts, _, _, cells),) = told(released(tmp_path, vcf("4.3", row)))
    assert alts == "T"
    assert cells == ["0/1:0.4,0.6,0", "0/1:0.25,0.75,0"]
    # Nothing is left of what was said of the allele that is gone.
    gone = row.replace("0.2,0.3,0,0.4,0.1,0", "0,0,0,0.5,0.5,0")
    (tmp_path / "gone").mkdir()
    ((*_, cells),) = told(released(tmp_path / "gone", vcf("4.3", gone)))
    assert cells == ["0/1:.", "0/1:0.25,0.75,0"]


def test_local_probabilities_are_judged_as_others(tmp_path: Path) -> None:
    row = "chr17 9 . C T,G . . . GT:LAA:LGP 0/2:2:20,0.04,30 0/1:1:0,9,9 0/0:.:1"
    ((alts, _, form, cells),) = told(released(tmp_path, vcf("4.2", row)))
    assert (alts, form) == ("G", "GT:LAA:LGP")
    assert cells == ["0/1:1:0.00998171,0.98902,0.000998171", "0/0:.:1"]


def test_pp_is_phred_in_every_version(tmp_path: Path) -> None:
    extra = FieldDefinition(id="PP", number="G", type="Integer", description="x")
    text = vcf("4.1", "chr17 9 . C T . . . GT:PP 0/1:43,0,46 0/0:0,9,9 1/1:450,35,0")
    release = cut(text.decode(), FIRST_AND_THIRD, format_keep=(extra,))
    assert release.records[0][9:] == ["0/1:43,0,46", "1/1:450,35,0"]


def test_intake_reports_values_without_a_scale(tmp_path: Path) -> None:
    rows = (
        "chr17 9 . C T . . . GT:GP 0/1:0.1,0.8,0.1 0/0:1,0,0 1/1:0,0,1",
        "chr17 10 . C T . . . GT:GP 0/1:0.1,0.5,0.1 0/0:0.1,0.5,0.1 1/1:.",
        "chr17 11 . C T . . . GT:GP 0/1:0.1,0.5,0.1 0/0:9,9,9 1/1:0,0,1",
    )
    upload = vcf("4.3", *rows)
    line = upload.decode().splitlines().index("\t".join(rows[1].split())) + 1
    (found,) = [text for text in take_in(tmp_path, upload).warnings if "GP" in text]
    assert found.startswith(f"line {line}: 4 value(s) of FORMAT GP")


def test_erasure_converts_gp_once(tmp_path: Path) -> None:
    row = "chr17 9 . C T . . . GT:GP 0/1:43.0,0.00022,46.0 0/0:0,9,9 1/1:9,9,0.4"
    upload = vcf("4.2", row)
    whole = tmp_path / "whole"
    whole.mkdir()
    before = released(whole, upload)
    store, _ = erased(tmp_path, upload, "P2")
    # The version says what SVLEN and END mean; probabilities are read in each.
    assert text_of(store).startswith("##fileformat=VCFv4.2\n")
    after = cut(store, FIRST_AND_THIRD)
    assert after.records == before.records
