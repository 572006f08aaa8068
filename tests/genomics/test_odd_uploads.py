"""Uploads as real programs write them: read with a warning, or refused with the cause.

Where htslib reads a file with a warning, intake does too; what can be read in two ways
is refused. The files are described in `tests/vectors/odd_uploads/SOURCE.md`.
"""

from pathlib import Path

import pytest

from genomics import intake
from genomics.errors import IntakeRefused
from genomics.job import Progress
from genomics.uploads import unpack
from tests.genomics.uploads import (
    HEADER,
    RECORDS,
    bgzf,
    store_header,
    store_path,
    store_records,
    take_in,
    vcf,
    with_field,
    with_header,
)

VECTORS = Path("tests/vectors/odd_uploads").resolve()
DP = "##INFO=<ID=DP"

# What the warning says, and a piece of the store.
TAKEN = [
    ("iupac.vcf", "line 9 and 1 more: REF has a code", "chr1\t248755122\t.\tN\tG"),
    ("info_twice.vcf", "line 11: INFO has AF more than once", "\tAF=0.5;GENE=X\t"),
    ("def_twice_description.vcf", None, "\tAF=0.5\t"),
    ("def_twice_type.vcf", "line 9: INFO AF is defined twice", "\tAF=0.5\t"),
    ("hail_quotes.vcf", "line 8: the quotes", 'Description="foo \\"bar\\" baz">'),
    ("unquoted.vcf", "line 8: the quotes", "each ALT allele, in the same order as"),
    ("no_number.vcf", "line 8: INFO VCFDownload has no Number", "Number=.,Type=String"),
    ("lowercase_type.vcf", "line 8: INFO DP has Type=integer", "Type=Integer"),
    ("trailing_blank.vcf", "line 8: blanks follow", "Number=1,Type=Integer"),
    ("spip.vcf", None, "GT"),
    ("filter_lt.vcf", "'QD<2.0'", "\tQDlt2.0;FSgt60.0\t"),
    ("filter_lt_undeclared.vcf", "line 9: the filter 'QD<2.0'", "\tQDlt2.0\t"),
    ("filter_space.vcf", "'recommended hard filter'", "\trecommended_hard_filter\t"),
    ("filter_space_pass.vcf", "line 9: the filter ' PASS'", "\t.\tPASS\t."),
    ("hla.vcf", None, "N[HLA-DRB1*15:01:01:01:300["),
    ("latin1_header.vcf", "line 7: expected UTF-8, got the byte 0xe4", "GT"),
    ("mid_eof.vcf.gz", None, "GT"),
    ("gzip_then_bgzf.vcf.gz", None, "GT"),
    ("eq_in_value.vcf", None, "g.930248=,NC"),
    ("hgvs_key.vcf", "line 10: INFO has a key with", "\tANN=a\tGT"),
    ("rsid0.vcf", "line 8: INFO RSID has Type=String and Number=0", "RSID=rs12"),
    ("header_only.vcf", "the file holds no records", "#CHROM"),
]

REFUSED = [
    ("hla_blank.vcf", "contig-name", 7, None, "with a blank"),
    ("latin1_info.vcf", "encoding", 10, 8, "iconv"),
    ("two_headers.vcf.gz", "column-count", 10, 2, "bcftools concat"),
    ("no_eof.vcf.gz", "truncated", 10, 1, "end block"),
    ("bgzf_then_gzip.vcf.gz", "corrupt", 10, 1, "got plain gzip"),
    ("alt_is_ref.vcf", "alt", 9, 5, "alleles that differ"),
    ("alt_dup_inside.vcf", "alt", 9, 5, "ALT allele 1"),
    ("ref_del.vcf", "ref", 9, 4, "bases"),
    ("gt_twice.vcf", "format-duplicate", 10, 9, "each FORMAT key once"),
]


@pytest.mark.parametrize(("file", "warning", "piece"), TAKEN)
def test_file_is_read_with_a_warning_that_names_line_and_repair(
    tmp_path: Path, file: str, warning: str | None, piece: str
) -> None:
    result = take_in(tmp_path, VECTORS / file, build="GRCh38")
    if warning is None:
        assert result.warnings == ()
    else:
        assert any(warning in text for text in result.warnings), result.warnings
    text = "\n".join([*store_header(tmp_path), *store_records(tmp_path)])
    assert piece in text


@pytest.mark.parametrize(("file", "code", "line", "column", "cause"), REFUSED)
def test_refusal_names_the_cause_and_the_repair(
    tmp_path: Path, file: str, code: str, line: int, column: int | None, cause: str
) -> None:
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, VECTORS / file, build="GRCh38")
    error = refused.value
    assert (error.code, error.line, error.column) == (code, line, column)
    assert cause in error.message


def test_every_file_is_in_one_of_the_tables() -> None:
    names = {name for name, *_ in [*TAKEN, *REFUSED]}
    elsewhere = {"plink19.vcf", "plink_numeric.vcf", "SOURCE.md"}
    assert names | elsewhere == {path.name for path in VECTORS.iterdir()}


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        # Hail and R: quotes inside, or none at all; keys behind count as keys.
        ('##INFO=<ID=DP,Number=1,Type=Integer,Description="a "b", c",Source="x">',
         '<ID=DP,Number=1,Type=Integer,Description="a \\"b\\", c">'),
        ('##INFO=<ID=DP,Description="the "depth" here",Number=1,Type=Integer>',
         '<ID=DP,Number=1,Type=Integer,Description="the \\"depth\\" here">'),
        ("##INFO=<ID=DP,Number=1,Type=Integer,Description=depth, in reads>",
         '<ID=DP,Number=1,Type=Integer,Description="depth, in reads">'),
        ('##INFO=<ID=DP,Number=1,Type=INTEGER,Description="x">\t ',
         '<ID=DP,Number=1,Type=Integer,Description="x">'),
        ("##INFO=<ID=DP>", '<ID=DP,Number=.,Type=String,Description="">'),
        ('##INFO=<ID=DP,Number=1,Description="x">',
         '<ID=DP,Number=1,Type=String,Description="x">'),
        ('##INFO=<ID=DB,Type=flag,Description="x">',
         '<ID=DB,Number=0,Type=Flag,Description="x">'),
        ("##contig", "#CHROM"),
        ('##INFO=<ID=A B,Number=1,Type=Integer,Description="x">', "#CHROM"),
    ],
)  # fmt: skip
def test_header_line_is_read_with_a_warning(
    tmp_path: Path, line: str, stored: str
) -> None:
    start = "##INFO=<ID=DB" if "ID=DB" in line else DP
    result = take_in(tmp_path, with_header(start, line))
    assert any(text.startswith(stored, text.find("<")) for text in
               store_header(tmp_path) if "<" in text) or stored == "#CHROM"  # fmt: skip
    if line != "##contig":
        number = 7 if start == "##INFO=<ID=DB" else 5
        assert any(f"line {number}: " in text for text in result.warnings)


@pytest.mark.parametrize(
    ("filters", "stored"),
    [
        ("q10;QD<2.0", "q10;QDlt2.0"),
        ("SOR>3.0;MQ<40.0", "SORgt3.0;MQlt40.0"),
        ("low depth", "low_depth"),
        ("q10; q10", "q10"),
        ('"q20"', "_q20_"),
        ("名", "_"),
    ],
)
def test_filter_gets_a_name_that_every_reader_takes(
    tmp_path: Path, filters: str, stored: str
) -> None:
    result = take_in(tmp_path, with_field(12, 7, filters))
    assert store_records(tmp_path)[0].split("\t")[6] == stored
    assert any("line 12: the filter" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("ref", "alt", "stored"),
    [
        ("R", "C", ("N", "C")),
        ("acw", "a", ("ACN", "A")),
        ("AR", "GR", ("AN", "GN")),  # what is open in REF is the same base in ALT
        ("BDHVKMSYRW", "A", ("N" * 10, "A")),
        ("R", "R[2:5[", ("N", "N[2:5[")),
        ("ar", "]2:5]AR", ("AN", "]2:5]AN")),
        ("Y", ".Y", ("N", ".N")),
    ],
)
def test_open_bases_of_ref_become_n(
    tmp_path: Path, ref: str, alt: str, stored: tuple[str, str]
) -> None:
    data = with_field(12, 4, ref).replace(
        f"{ref}\tC".encode(), f"{ref}\t{alt}".encode()
    )
    result = take_in(tmp_path, data)
    fields = store_records(tmp_path)[0].split("\t")
    assert tuple(fields[3:5]) == stored
    assert fields[9:] == RECORDS[0].split("\t")[9:]
    assert any("line 12: REF has a code" in text for text in result.warnings)


@pytest.mark.parametrize("version", ["4.0", "4.2", "4.3", "4.5"])
@pytest.mark.parametrize(
    ("info", "stored"),
    [
        ("DP=3;DB;DP=4", "DP=3;DB"),
        ("AF=0.1;AF=x;AF", "AF=0.1"),
        ("END=103;DB;END=103", "END=103;DB"),  # the same twice is one thing
        ("DP=3;c.*104_*107delTG>A", "DP=3"),
        ("A B=3", "."),
    ],
)
def test_info_entry_that_is_too_many_or_odd_is_left_out(
    tmp_path: Path, version: str, info: str, stored: str
) -> None:
    data = with_field(12, 8, info).replace(b"VCFv4.2", f"VCFv{version}".encode())
    result = take_in(tmp_path, data)
    assert store_records(tmp_path)[0].split("\t")[7] == stored
    assert any("line 12: INFO has" in text for text in result.warnings)


# Header lines as the programs write them, by their own versions; paths shortened.
TOOLS = {
    "DRAGEN": [
        '##DRAGENCommandLine=<ID=dragen,Version="SW: 07.021.624.3.10.9",Date="Mon Jan '
        '1",CommandLineOptions="--ref-dir "/ref" --vc-frd-max 100">',
        "##source=DRAGEN_CNV",
        '##FILTER=<ID=DRAGENSnpHardQUAL,Description="Set if true:QUAL < 10.41">',
        '##FILTER=<ID=PloidyConflict,Description="Genotype call conflict">',
        '##FORMAT=<ID=F1R2,Number=R,Type=Integer,Description="Count of reads in F1R2">',
        '##INFO=<ID=FractionInformativeReads,Number=1,Type=Float,Description="x">',
    ],
    "GLnexus": [
        '##GLnexusVersion="v1.4.1-0-g68e25e5"',
        "##GLnexusConfig={unifier_config: {drop_filtered: false, min_AQ1: 10}}",
        '##FILTER=<ID=MONOALLELIC,Description="Site represents one ALT allele in a '
        'region with multiple variants that could not be unified">',
        '##INFO=<ID=AQ,Number=A,Type=Integer,Description="Allele Quality score">',
        '##FORMAT=<ID=RNC,Number=2,Type=Character,Description="Reason for No Call">',
    ],
    "GATK": [
        '##GATKCommandLine=<ID=HaplotypeCaller,CommandLine="HaplotypeCaller  -L "chr1"'
        '",Version="4.2.6.1",Date="January 1, 2023 at 1:00:00 AM GMT">',
        "##GVCFBlock0-1=minGQ=0(inclusive),maxGQ=1(exclusive)",
        '##ALT=<ID=NON_REF,Description="Any possible alternative allele">',
        '##FILTER=<ID=VQSRTrancheSNP99.90to100.00+,Description="Lod < -39645.8371">',
        '##FILTER=<ID=QD<2.0,Description="QD<2.0">',
        '##INFO=<ID=RAW_MQandDP,Number=2,Type=Integer,Description="x">',
    ],
    "Hail": [
        "##hailversion=0.2.126-ee77707f4fab",
        '##FILTER=<ID=AC0,Description="">',
        '##INFO=<ID=vep,Number=.,Type=String,Description="foo "bar"">',
        '##FORMAT=<ID=PGT,Number=1,Type=String,Description="">',
    ],
    "minimac4": [
        "##filedate=2023.1.1",
        "##source=Minimac4.v1.0.2",
        '##INFO=<ID=IMPUTED,Number=0,Type=Flag,Description="Marker was imputed">',
        '##INFO=<ID=R2,Number=1,Type=Float,Description="R-square">',
        '##FORMAT=<ID=HDS,Number=2,Type=Float,Description="Haploid Dosages ">',
        "##pipeline=michigan-imputationserver-1.5.7",
        "##phasing=eagle-2.4",
        "##r2Filter=0.0",
    ],
    "Beagle": [
        '##source="beagle.22Jul22.46e.jar"',
        '##INFO=<ID=DR2,Number=A,Type=Float,Description="Dosage R-Squared: estimated '
        'squared correlation between estimated REF dose [P(RA) + 2*P(RR)] and true">',
        '##FORMAT=<ID=DS,Number=A,Type=Float,Description="estimated ALT dose [P(RA) + '
        '2*P(AA)]">',
    ],
    "PLINK": [
        "##fileDate=20230101",
        "##source=PLINKv1.90",
        '##INFO=<ID=PR,Number=0,Type=Flag,Description="Provisional reference allele">',
    ],
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_header_of_a_pipeline_is_read(tmp_path: Path, tool: str) -> None:
    result = take_in(tmp_path, vcf([*HEADER[:-1], *TOOLS[tool], HEADER[-1]]))
    assert result.records == len(RECORDS)
    assert b"/ref" not in store_path(tmp_path).read_bytes()


def test_faults_are_reported_together_and_the_first_counts(tmp_path: Path) -> None:
    rows = [row.replace("\tPASS\t", "\t0\t") for row in RECORDS]
    rows[1] = rows[1].replace("0/2:3", "0/3:3")
    rows[2] = rows[2].replace("0|1", "0|2")  # checked later than the others
    header = [text.replace("Number=1,Type=Float", "") for text in HEADER]
    header[4] = "##INFO=<ID=DP,Number=X,Type=Integer>"
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, bgzf(vcf(header, rows), end=b""))
    error = refused.value
    assert (error.code, error.line, error.column) == ("header-line", 5, None)
    assert [(fault.code, fault.line, fault.column) for fault in error.faults] == [
        ("header-line", 5, None),
        ("filter", 12, 7),
        ("genotype-allele", 13, 10),
        ("genotype-allele", 14, 11),
        ("filter", 15, 7),
        ("truncated", 16, 1),
    ]
    assert error.faults[0].message == error.message
    assert not list(store_path(tmp_path).parent.iterdir())


def test_reading_on_behind_a_fault_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_SOUGHT_BYTES", 1 << 20)
    monkeypatch.setattr(unpack, "CHUNK_BYTES", 1 << 16)
    rest = "\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0\t0/1"
    rows = [f"2\t{n + 1}{rest}" for n in range(100_000)]
    rows[0] = rows[0].replace("0/1", "0/9")
    rows[-1] = rows[-1].replace("0/1", "0/9")
    progress: list[Progress] = []
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf(records=rows), progress=progress)
    assert [fault.line for fault in refused.value.faults] == [12]
    assert progress[-1].bytes < 2 << 20
    # A caller hears of it meanwhile, and may cancel.
    assert len(progress) > 10


def test_report_has_at_most_twenty_faults(tmp_path: Path) -> None:
    rows = [f"2\t{n + 1}\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0\t0/5" for n in range(500)]
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf(records=rows))
    assert [fault.line for fault in refused.value.faults] == [*range(12, 32)]


def test_one_slip_is_one_fault(tmp_path: Path) -> None:
    rest = "\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0\t0/1"
    places = [("1", 9), ("2", 5), ("1", 20), ("1", 21), ("1", 8), ("1", 9), ("2", 6)]
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf(records=[f"{name}\t{pos}{rest}" for name, pos in places]))
    assert [(fault.code, fault.line) for fault in refused.value.faults] == [
        ("contig-order", 14),
        ("position-order", 16),
        ("contig-order", 18),
    ]


def test_header_of_lines_that_are_no_utf8_costs_no_more_than_its_length(
    tmp_path: Path,
) -> None:
    # One look at the rest of the text for each line would take minutes.
    header = vcf(HEADER[:-1], []) + b"##\xff\n" * 200_000
    data = header + vcf(HEADER[-1:], RECORDS)
    assert take_in(tmp_path, data).records == len(RECORDS)
    latin_1 = data.replace(b"\trs1\t", b"\tr\xe9s\t")
    with pytest.raises(IntakeRefused, match="iconv") as refused:
        take_in(tmp_path, latin_1)
    assert (refused.value.code, refused.value.column) == ("encoding", 3)


def test_cat_of_two_files_is_one_fault_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(IntakeRefused, match="bcftools concat") as refused:
        take_in(tmp_path, bgzf(vcf(), end=b"") + bgzf(vcf()))
    assert len(refused.value.faults) == 1
    with pytest.raises(IntakeRefused, match="bcftools concat"):
        take_in(tmp_path, vcf(records=[*RECORDS, *HEADER[-1:], *RECORDS]))
