"""What intake refuses: for each reason a file, and the line and column it names."""

from pathlib import Path
from typing import get_args

import pysam
import pytest

from genomics.errors import IntakeRefused
from genomics.uploads import refusal, values
from tests.genomics.faults import ALL, HEADERS, ROWS, Fault
from tests.genomics.uploads import (
    FIRST_RECORD,
    HEADER,
    store_path,
    take_in,
    vcf,
    with_field,
    with_header,
)


def fault_id(fault: Fault) -> str:
    return fault[0]


@pytest.mark.parametrize("fault", ALL, ids=fault_id)
def test_fault_is_refused_with_its_place(tmp_path: Path, fault: Fault) -> None:
    _, upload, code, line, column = fault
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload)
    error = refused.value
    assert (error.code, error.line, error.column) == (code, line, column)
    assert error.message.startswith("expected ")
    assert error.message.isprintable()
    assert not list(store_path(tmp_path).parent.iterdir())


@pytest.mark.parametrize("fault", [*HEADERS, *ROWS], ids=fault_id)
def test_refusal_quotes_no_sample_and_no_genotype(tmp_path: Path, fault: Fault) -> None:
    upload = fault[1].replace(b"S1", b"JANE1").replace(b"S2", b"JANE2")
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload)
    message = refused.value.message
    assert "JANE" not in message
    assert "|" not in message.replace("'|'", "")


def test_lengths_against_the_stated_build_are_refused_at_their_line(
    tmp_path: Path,
) -> None:
    upload = with_header("##contig=<ID=2>", "##contig=<ID=chr2,length=242193529>")
    upload = upload.replace(b"<ID=1,length=1000>", b"<ID=chr1,length=249250621>")
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload, build="GRCh37")
    assert (refused.value.code, refused.value.line) == ("build-mismatch", 3)
    assert "GRCh37" in refused.value.message


@pytest.mark.parametrize(
    ("contig", "position", "build", "is_sound"),
    [
        ("21", 48_129_896, "GRCh37", True),  # the telomere, one behind the end
        ("21", 48_129_897, "GRCh37", False),
        ("chr21", 48_129_896, "GRCh38", False),
        ("21", 48_129_897, None, True),
        ("MT", 16_571, "GRCh37", False),
        ("chrM", 16_571, "GRCh37", True),  # may be that of UCSC's hg19
        ("chrM", 16_571, "GRCh38", False),
        ("GL000207.1", 48_129_897, "GRCh37", True),
    ],
)
def test_position_beyond_a_chromosome_of_the_stated_build_is_refused(
    tmp_path: Path, contig: str, position: int, build: str | None, is_sound: bool
) -> None:
    row = f"{contig}\t{position}\t.\tA\tC\t.\t.\t.\tGT\t0\t1\t."
    upload = vcf([HEADER[0], HEADER[-1]], [row])
    if is_sound:
        assert take_in(tmp_path, upload, build=build).records == 1
        return
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload, build=build)
    error = refused.value
    assert (error.code, error.line, error.column) == ("position-beyond-contig", 3, 2)


def test_position_beyond_a_chromosome_of_the_detected_build_is_refused(
    tmp_path: Path,
) -> None:
    header = [HEADER[0], "##contig=<ID=chr1,length=248956422>", HEADER[-1]]
    row = "chr21\t48129896\t.\tA\tC\t.\t.\t.\tGT\t0\t1\t."
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf(header, [row]))
    assert refused.value.code == "position-beyond-contig"


def test_what_only_htslib_refuses_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing known passes the text's check and fails in htslib, so one check is
    # switched off: the reading afterwards must catch what slips through.
    monkeypatch.setattr(values.Field, "fits", lambda *_: True)
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, with_field(13, 11, "1|2:x"))
    assert (refused.value.code, refused.value.line) == ("htslib", 13)
    assert not list(store_path(tmp_path).parent.iterdir())


def test_htslib_is_quiet_during_intake_and_as_before_afterwards(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    verbosity = pysam.get_verbosity()
    take_in(tmp_path, with_field(FIRST_RECORD, 2, "0"))
    assert pysam.get_verbosity() == verbosity
    assert capfd.readouterr().err == ""


def test_every_code_has_a_fault_here() -> None:
    from_tables = {fault[2] for fault in ALL}
    elsewhere = {
        "crc", "corrupt", "trailing-data",  # test_intake_packing
        "too-large", "ratio", "line-length", "header-length",  # test_intake_limits
        "too-many-samples", "too-many-contigs", "too-many-alleles",
        "too-many-fields", "too-many-records",
        "build-mismatch", "htslib",  # above
    }  # fmt: skip
    assert from_tables.isdisjoint(elsewhere)
    assert from_tables | elsewhere == set(get_args(refusal.Code))
