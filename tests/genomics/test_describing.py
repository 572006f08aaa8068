"""What a release says of its alleles, and what intake's report says of it."""

import gzip
from pathlib import Path

import pytest

from genomics import removal
from genomics.removal_job import RemovalJob
from tests.genomics.release import ANN_AND_CID, EVERYONE, cut, source
from tests.genomics.uploads import HEADER, take_in, vcf

# ALT, INFO of the source, and the INFO that describes the allele in a release; POS 100.
OLD = [
    ("<DEL>", "END=300;SVLEN=-200", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=300;SVLEN=200", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=300;SVLEN=-1", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=300;SVLEN=0", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=300;SVLEN=.", "END=300;SVTYPE=DEL"),
    ("<DEL>", "END=300;SVLEN=-500", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=100;SVLEN=-200", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=90", "SVTYPE=DEL"),
    ("<DUP:TANDEM>", "SVLEN=200", "END=300;SVTYPE=DUP;SVLEN=200"),
    ("<INV>", "END=300;SVLEN=0", "END=300;SVTYPE=INV"),
    ("<INV>", "END=300;SVLEN=200", "END=300;SVTYPE=INV"),
    ("<CNV>", "SVLEN=200", "END=300;SVTYPE=CNV"),
    ("<INS:ME:ALU>", "END=100;SVLEN=31", "SVTYPE=INS;SVLEN=31"),
    ("<INS>", "END=300;SVLEN=31", "SVTYPE=INS;SVLEN=31"),
    ("<INS>", "SVLEN=-1", "SVTYPE=INS"),
    ("A[21:7[", "SVTYPE=BND;SVLEN=-1;END=7", "SVTYPE=BND"),
    ("<BND>", "CHR2=21;END2=7;SVLEN=-1;SVTYPE=BND", "SVTYPE=BND"),
    ("<TRA>", "CHR2=21;END=7;SVTYPE=BND", ""),
    ("<CTX>", "CHR2=21;END=7;SVTYPE=CTX", "SVTYPE=CTX"),
    ("<STR20>", "END=157;SVTYPE=STR", "END=157"),
    ("<*:DEL>", "SVTYPE=DEL", ""),
    ("<NON_REF>", "END=300", "END=300"),
    ("<*>", "END=300", "END=300"),
    ("<CN2>", "END=300", "END=300"),
    ("<CN2>", "END=300;SVTYPE=CNV", "END=300;SVTYPE=DUP"),
    ("<CN0>", "END=300;SVLEN=-200;SVTYPE=DEL", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<CN0>", "END=300;SVTYPE=DUP", "END=300"),
    ("<CPX>", "END=300;SVTYPE=CPX", "END=300"),
    ("AGGG", "SVTYPE=INS;SVLEN=99", "SVTYPE=INS;SVLEN=3"),
    ("*", "SVLEN=-20;SVTYPE=DEL", ""),
]
NEW = [
    ("<DEL>", "SVLEN=200;SVCLAIM=D", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DEL>", "END=900;SVLEN=200", "END=300;SVTYPE=DEL;SVLEN=-200"),
    ("<DUP>", "SVLEN=200;SVCLAIM=J", "END=300;SVTYPE=DUP;SVLEN=200"),
    ("<INV>", "SVLEN=200", "END=300;SVTYPE=INV"),
    ("<CNV:TR>", "SVLEN=200;CN=3", "END=300;SVTYPE=CNV;CN=3"),
    ("<INS>", "SVLEN=31", "SVTYPE=INS;SVLEN=31"),
    ("<CN3>", "SVLEN=200", "END=300"),
]


@pytest.mark.parametrize(
    ("version", "alt", "said", "told"),
    [("4.2", *row) for row in OLD] + [("4.4", *row) for row in NEW],
)
def test_a_release_says_what_the_notation_makes_true(
    version: str, alt: str, said: str, told: str
) -> None:
    text = source(f"20 100 . A {alt} . . {said} GT 0/1 0/0 0/0")
    release = cut(text.replace("VCFv4.2", f"VCFv{version}"), ANN_AND_CID)
    (record,) = release.records
    assert record[7].removeprefix("AC=1;AF=0.25;AN=4;NS=2").removeprefix(";") == told
    assert release.header[0] == "##fileformat=VCFv4.3"


def test_lengths_of_several_alleles_stay_where_one_of_them_is_the_longest() -> None:
    record = "20 100 . A <DEL>,<DUP>,T . . END=300;SVLEN=-50,200,. GT 0/1 0/3 0/2"
    (row,) = cut(source(record), EVERYONE).records
    assert row[7].endswith("END=300;SVLEN=-50,200,.")
    (row,) = cut(source(record), {"Ann": "A0"}).records
    assert row[7].endswith("END=150;SVTYPE=DEL;SVLEN=-50")


def test_a_length_goes_where_nobody_can_tell_whose_end_it_is() -> None:
    record = "20 100 . A <DEL>,<DUP> . . END=300;SVLEN=-50,20 GT 0/1 0/0 0/2"
    (row,) = cut(source(record), ANN_AND_CID).records
    assert row[7].endswith("END=300")


def test_the_report_of_intake_counts_what_a_release_says_otherwise(
    tmp_path: Path,
) -> None:
    rows = [
        ("<DEL>", "END=300;SVLEN=-200"),
        ("<DEL>", "END=300;SVLEN=-1"),
        ("<DUP>", "END=300;SVLEN=7"),
        ("<INS>", "END=90;SVLEN=31"),
        ("<INV>", "END=300;SVLEN=200;SVCLAIM=J"),
        ("<STR20>", "END=300;SVTYPE=STR"),
    ]
    records = [
        f"1\t100\t.\tA\t{alt}\t.\t.\t{said}\tGT\t0/1\t0/0\t0/0" for alt, said in rows
    ]
    warnings = take_in(tmp_path, vcf(records=records)).warnings
    first = len(HEADER) + 1
    differing, early, lengths, claims, types = (
        line for line in warnings if "record(s) with" in line
    )
    assert differing.startswith("2 record(s) with END and SVLEN that differ")
    assert "releases state END" in differing
    assert differing.endswith(f"the first is line {first + 1}")
    assert early.endswith(f"END is left out; the first is line {first + 3}")
    assert "<INV> or <CNV>" in lengths
    assert "SVCLAIM" in claims
    assert types.endswith(f"the first is line {first + 5}")


# What a later cut needs of a record that somebody left.
AFTERWARDS = [
    "20 100 x A <DEL> . . END=300;SVLEN=-1;CIEND=0,90 GT 0/1 0/1 0/1",
    "20 100 x A <DEL>,<DUP> . . END=300;SVLEN=-50,200 GT 0/1 0/2 0/1",
    "20 100 x A <CNV>,<DUP> . . END=300;SVLEN=.,200 GT 0/1 0/2 0/1",
    "20 100 x A <CN0>,<CN2> . . END=300;SVTYPE=CNV;SVLEN=200 GT 0/1 0/2 0/2",
    "20 100 x A <INS>,<DUP> . . CIPOS=-9,9,-60,60;SVLEN=31,200 GT 0/1 0/2 0/1",
    "20 100 x A <INS> . . SOURCE=INV_20:370-390;SVLEN=31 GT 0/1 0/1 0/1",
    "20 100 x A <BND> . . CHR2=20;END2=390;END=100 GT 0/1 0/1 0/1",
    "20 100 x A A[21:55[ . . END=51 GT 0/1 0/1 0/1",
    "20 100 x A C . . SVTYPE=DUP;SVLEN=290 GT 0/1 0/1 0/1",
    "20 100 x A <INV>,<DEL> . . SVLEN=280,30 GT 0/1 0/0 0/2",
    "20 100 x A <CNV> . . SVLEN=-1;CHR2=21 GT 0/1 0/1 0/1",
    "20 100 x A <CNV> . . SVLEN=9;CHR2=21;END=100 GT 0/1 0/1 0/1",
    "20 100 x A <DUP>,<INS> . . SVLEN=31 GT 0/2 0/1 0/2",
    "20 100 x AC A,<DUP> . . SVLEN=31 GT 0/1 0/2 0/1",
    "20 100 x A <DUP>,<DEL>,<INS> . . SVLEN=31,90 GT 0/1 0/2 0/3",
]


@pytest.mark.parametrize("version", ["4.2", "4.4"])
@pytest.mark.parametrize("record", AFTERWARDS)
def test_an_erasure_changes_neither_reach_nor_meaning_for_the_others(
    tmp_path: Path, record: str, version: str
) -> None:
    text = source(record, header="##contig=<ID=20>")
    text = text.replace("VCFv4.2", f"VCFv{version}")
    path = tmp_path / "old.vcf.gz"
    path.write_bytes(gzip.compress(text.encode()))
    job = RemovalJob(source=path, store=tmp_path / "new", without=("Ben",))
    removal.run(job, lambda _: None)
    stored = gzip.decompress(job.store.read_bytes()).decode()
    assert "\tx\t" not in stored
    for samples in ({"Ann": "A0"}, ANN_AND_CID):
        assert cut(job.store, samples).text == cut(text, samples).text
        for contig, base in [("21", 50), *(("20", n) for n in (50, 95, 149, 299, 379))]:
            region = ((contig, base, base + 1),)
            before = cut(text, samples, regions=region).records
            assert cut(job.store, samples, regions=region).records == before
