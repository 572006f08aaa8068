"""The canonical header: what it declares, puts right and leaves out."""

import gzip
from pathlib import Path

import pytest

from tests.genomics.uploads import (
    HEADER,
    bcftools_records,
    store_header,
    store_path,
    store_records,
    take_in,
    vcf,
    with_header,
)


def test_what_the_header_leaves_out_is_declared(tmp_path: Path) -> None:
    header = ["##fileformat=VCFv4.2", HEADER[-1]]
    record = (
        "7\t5\t.\tA\tC\t.\tq20;q30\tDP=3;AF=0.5;MINE=a,b;H2;ALONE\t"
        "GT:PL:OWN\t0/1:1,2,3:x\t0/0:.:y\t./.:4:z"
    )
    result = take_in(tmp_path, vcf(header, [record]))
    lines = store_header(tmp_path)
    assert "##contig=<ID=7>" in lines
    assert '##FILTER=<ID=q20,Description="Not declared in the upload">' in lines
    assert '##FILTER=<ID=q30,Description="Not declared in the upload">' in lines
    for start in (
        "##INFO=<ID=DP,Number=1,Type=Integer,",
        "##INFO=<ID=AF,Number=A,Type=Float,",
        "##INFO=<ID=MINE,Number=.,Type=String,",
        "##INFO=<ID=H2,Number=0,Type=Flag,",
        "##INFO=<ID=ALONE,Number=0,Type=Flag,",
        "##FORMAT=<ID=GT,Number=1,Type=String,",
        "##FORMAT=<ID=PL,Number=G,Type=Integer,",
        "##FORMAT=<ID=OWN,Number=.,Type=String,",
    ):
        assert sum(line.startswith(start) for line in lines) == 1, start
    assert any("5 INFO key(s) are not declared" in text for text in result.warnings)
    assert any("3 FORMAT key(s) are not declared" in text for text in result.warnings)
    assert store_records(tmp_path) == [record]
    # Subsetting needs all of it declared: bcftools refuses undeclared filters.
    assert bcftools_records(store_path(tmp_path)).rstrip() == record


def test_undeclared_standard_key_of_another_type_is_kept_as_text(
    tmp_path: Path,
) -> None:
    header = ["##fileformat=VCFv4.2", HEADER[-1]]
    records = [
        "1\t5\t.\tA\tC\t.\t.\tDP=3\tGT:GQ\t0/1:30\t0/0:4\t./.",
        "1\t6\t.\tA\tC\t.\t.\tDP=3.5\tGT:GQ\t0/1:30.5\t0/0:4\t./.",
    ]
    result = take_in(tmp_path, vcf(header, records))
    assert store_records(tmp_path) == records
    lines = store_header(tmp_path)
    assert any(line.startswith("##FORMAT=<ID=GQ,Number=.,Type=Str") for line in lines)
    assert any(line.startswith("##INFO=<ID=DP,Number=.,Type=Str") for line in lines)
    assert any("line 4: FORMAT GQ" in text for text in result.warnings)
    assert any("line 4: INFO DP" in text for text in result.warnings)


def test_store_header_leaves_out_names_paths_and_commands(tmp_path: Path) -> None:
    gossip = [
        "##SAMPLE=<ID=S1,Description=Jane>",
        "##PEDIGREE=<ID=S1,Mother=S2>",
        "##GATKCommandLine=<ID=x,CommandLineOptions=/home/jane/S1.bam>",
        "##bcftools_viewCommand=view -s S1 /secret/path",
        "##reference=file:///home/jane/ref.fa",
        "##not even a pair",
    ]
    take_in(tmp_path, vcf([*HEADER[:-1], *gossip, HEADER[-1]]))
    assert {line.split("=")[0] for line in store_header(tmp_path)[:-1]} == {
        "##fileformat", "##contig", "##FILTER", "##INFO", "##FORMAT",
    }  # fmt: skip
    assert b"jane" not in gzip.decompress(store_path(tmp_path).read_bytes()).lower()


@pytest.mark.parametrize(
    ("replaced", "line", "kept"),
    [
        (
            "##INFO=<ID=DB",
            '##INFO=<ID=DB,Number=1,Type=Flag,Description="x">',
            '##INFO=<ID=DB,Number=0,Type=Flag,Description="x">',
        ),
        (
            "##INFO=<ID=DP",
            '##INFO=<ID=DP,Number=-1,Type=Integer,Description="\\"b\\", c>",Version=2>',
            '##INFO=<ID=DP,Number=.,Type=Integer,Description="\\"b\\", c>">',
        ),
        (
            "##INFO=<ID=END",
            '##INFO=<ID=END,Number=1,Type=String,Description="x">',
            "##INFO=<ID=END,Number=1,Type=Integer,"
            'Description="End position of the longest variant described in this '
            'record">',
        ),
        (
            "##FORMAT=<ID=GT",
            '##FORMAT=<ID=GT,Number=.,Type=Integer,Description="x">',
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        ),
        (
            "##FORMAT=<ID=DP",
            "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=Read depth>",
            '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
        ),
        (
            "##contig=<ID=1",
            '##contig=<ID=1,length=1000,assembly=b37,species="Homo sapiens">',
            "##contig=<ID=1,length=1000>",
        ),
    ],
)
def test_header_lines_that_are_odd_but_clear_are_put_right(
    tmp_path: Path, replaced: str, line: str, kept: str
) -> None:
    assert take_in(tmp_path, with_header(replaced, line)).records == 4
    assert store_header(tmp_path).count(kept) == 1


@pytest.mark.parametrize("build", [None, "GRCh38"])
def test_lengths_that_the_upload_does_not_state_are_not_made_up(
    tmp_path: Path, build: str | None
) -> None:
    # Lengths prove the build of a dataset: one taken from the steward's word would
    # prove that word by itself.
    header = ["##fileformat=VCFv4.0", "##contig=<ID=chr1,length=248956422>", HEADER[-1]]
    record = "\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0\t./."
    records = [name + record for name in ("chr1", "chr2", "chrUn_5", "chrM")]
    result = take_in(tmp_path, vcf(header, records), build=build)
    assert result.contigs == (
        ("chr1", 248_956_422, 1),
        ("chr2", None, 1),
        ("chrUn_5", None, 1),
        ("chrM", None, 1),
    )
    assert "##contig=<ID=chr2>" in store_header(tmp_path)
