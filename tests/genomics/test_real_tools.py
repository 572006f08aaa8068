"""What real tools write is taken in without a fault, and is what they were given."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import cyvcf2
import pysam
import pytest

from tests import variant_tools
from tests.genomics.uploads import store_records, take_in

# GRCh38: on X also in its pseudoautosomal part, below 2,781,479.
VCF = """\
##fileformat=VCFv4.2
##FILTER=<ID=q10,Description="Quality below 10">
##contig=<ID=1,length=248956422>
##contig=<ID=2,length=242193529>
##contig=<ID=X,length=156040895>
##contig=<ID=Y,length=57227415>
##contig=<ID=MT,length=16569>
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=DB,Number=0,Type=Flag,Description="dbSNP">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="Likelihoods">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\tS3
1\t1000\trs1\tA\tG\t50\tPASS\tDP=9;DB\tGT:DP:GL\t0/1:3:-1,-0.25,-3\t0/0:4:.\t1/1:.:.
1\t2000\trs2\tAC\tA\t.\tq10\tAF=0.123457\tGT\t0/1\t./.\t1/1
2\t5\trs3\tC\tT\t3.5\tPASS\tDP=1\tGT:DP\t0/0:1\t0/1:2\t0/0:3
X\t1000000\trs4\tT\tG\t.\t.\t.\tGT\t0/1\t0/0\t0/1
X\t100000000\trs5\tA\tG\t.\t.\t.\tGT\t0/0\t1/1\t0/1
Y\t20000000\trs6\tG\tA\t.\t.\t.\tGT\t0/0\t1/1\t0/0
MT\t8000\trs7\tG\tA\t.\t.\t.\tGT\t0/0\t1/1\t./.
"""
PLACES = [tuple(line.split("\t")[:2]) for line in VCF.splitlines() if line[0] != "#"]
# Beside a warning, what a report says of a file without any slip.
_ABOUT_LENGTHS = ("proves its build", "have the names of", "placeholders", "no known")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.vcf"
    path.write_text(VCF)
    return path


def taken(folder: Path, made: Path, build: str | None = "GRCh38") -> list[list[str]]:
    """Take in what a tool made; return the columns of the records."""
    result = take_in(folder, made, build=build)
    assert len(result.samples) == 3
    for warning in result.warnings:
        assert any(part in warning for part in _ABOUT_LENGTHS), warning
    return [record.split("\t") for record in store_records(folder)]


def places(records: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return [tuple(record[:2]) for record in records]


@pytest.mark.variant_tools
@pytest.mark.parametrize("option", ["-Ov", "-Oz", "-Ob", "-Ou"])
def test_bcftools_view(tmp_path: Path, source: Path, option: str) -> None:
    made = tmp_path / "made"
    command = ("bcftools", "view", option, "-o", str(made), str(source))
    variant_tools.run(tmp_path, *command)
    records = taken(tmp_path, made)
    assert ["\t".join(record) for record in records] == [
        line for line in VCF.splitlines() if line[0] != "#"
    ]


@pytest.mark.variant_tools
@pytest.mark.parametrize("option", ["-Oz", "-Ob"])
def test_bcftools_merge_norm_annotate_and_concat(
    tmp_path: Path, source: Path, option: str
) -> None:
    def bcftools(*arguments: str) -> None:
        variant_tools.run(tmp_path, "bcftools", *arguments)

    for name, samples in (("a", "S1,S2"), ("b", "S3")):
        bcftools("view", "-s", samples, "-Oz", "-o", f"{name}.gz", str(source))
        bcftools("index", f"{name}.gz")
    bcftools("merge", option, "-o", "merged", "a.gz", "b.gz")
    assert places(taken(tmp_path, tmp_path / "merged")) == PLACES
    bcftools("norm", "-m", "-any", option, "-o", "normal", "merged")
    assert places(taken(tmp_path, tmp_path / "normal")) == PLACES
    bcftools("annotate", "-x", "INFO", option, "-o", "bare", "normal")
    assert places(taken(tmp_path, tmp_path / "bare")) == PLACES
    bcftools("concat", "-a", "-D", option, "-o", "joined", "a.gz", "a.gz")
    joined = take_in(tmp_path, tmp_path / "joined", build="GRCh38")
    assert (joined.records, len(joined.samples)) == (len(PLACES), 2)


@pytest.mark.variant_tools
@pytest.mark.parametrize("names", ["26", "M", "0M", "MT", "chr26", "chrM", "chrMT"])
@pytest.mark.parametrize("build", ["GRCh38", None])
def test_plink_1_9(tmp_path: Path, source: Path, names: str, build: str | None) -> None:
    variant_tools.run(
        tmp_path, "plink1.9", "--vcf", str(source), "--const-fid", "--make-bed",
        "--split-x", "hg38", "no-fail", "--out", "bed",
    )  # fmt: skip
    variant_tools.run(
        tmp_path, "plink1.9", "--bfile", "bed", "--recode", "vcf",
        "--output-chr", names, "--out", "made",
    )  # fmt: skip
    if build is None:
        # Without a build numbers stay what they are, and nothing merges.
        result = take_in(tmp_path, tmp_path / "made.vcf")
        assert result.records == len(PLACES)
        first = next(length for _, length, _ in result.contigs)
        assert first is None
        return
    prefix = "chr" if names.startswith("chr") else ""
    expected = [
        (prefix + ("M" if prefix and name == "MT" else name), pos)
        for name, pos in PLACES
    ]
    records = taken(tmp_path, tmp_path / "made.vcf", build)
    assert places(records) == expected
    # PLINK took the more common allele of rs5 for REF.
    assert records[3][9:] == ["0/1", "0/0", "0/1"]


@pytest.mark.variant_tools
@pytest.mark.parametrize("kind", ["vcf", "bcf"])
@pytest.mark.parametrize("names", ["26", "MT", "chr26", "chrM"])
def test_plink_2(tmp_path: Path, source: Path, kind: str, names: str) -> None:
    variant_tools.run(
        tmp_path, "plink2", "--vcf", str(source), "--make-pgen", "--out", "all",
        "--split-par", "hg38",
    )  # fmt: skip
    variant_tools.run(
        tmp_path, "plink2", "--pfile", "all", "--export", kind, "--out", "made",
        "--output-chr", names,
    )  # fmt: skip
    prefix = "chr" if names.startswith("chr") else ""
    records = taken(tmp_path, tmp_path / f"made.{kind}")
    assert places(records) == [
        (prefix + ("M" if prefix and name == "MT" else name), pos)
        for name, pos in PLACES
    ]


@pytest.mark.variant_tools
def test_plink_2_from_a_bed_of_plink_1_9(tmp_path: Path, source: Path) -> None:
    variant_tools.run(
        tmp_path, "plink1.9", "--vcf", str(source), "--const-fid", "--make-bed",
        "--split-x", "hg38", "no-fail", "--out", "bed",
    )  # fmt: skip
    for kind in ("vcf", "bcf"):
        command = ("plink2", "--bfile", "bed", "--export", kind, "--out", "made")
        variant_tools.run(tmp_path, *command)
        # XY stands behind Y there, and X comes last in the header.
        assert places(taken(tmp_path, tmp_path / f"made.{kind}")) == PLACES


@pytest.mark.parametrize("mode", ["w", "wz", "wb", "wbu"])
def test_cyvcf2_writer(tmp_path: Path, source: Path, mode: str) -> None:
    reader = cyvcf2.VCF(str(source))
    reader.add_info_to_header(
        {"ID": "LEN", "Number": "1", "Type": "Integer", "Description": "a, b"}
    )
    made = tmp_path / "made"
    writer = cyvcf2.Writer(str(made), reader, mode)
    for variant in reader:
        variant.INFO["LEN"] = len(variant.REF)
        writer.write_record(variant)
    writer.close()
    reader.close()
    records = taken(tmp_path, made)
    assert places(records) == PLACES
    assert records[1][7].endswith("LEN=2")


@pytest.mark.parametrize("mode", ["w", "wz", "wb", "wb0"])
def test_pysam_variant_file(tmp_path: Path, source: Path, mode: str) -> None:
    made = tmp_path / "made"
    with pysam.VariantFile(str(source)) as reader:
        header = reader.header.copy()
        header.info.add("LEN", 1, "Integer", "a, b")
        header.formats.add("FX", "R", "Float", "x")
        with pysam.VariantFile(str(made), mode, header=header) as writer:
            for record in reader:
                record.translate(header)
                record.info["LEN"] = len(record.ref or "")
                for sample in record.samples.values():
                    sample["FX"] = (0.1, 1e-9)
                    sample.phased = True
                writer.write(record)
    records = taken(tmp_path, made)
    assert places(records) == PLACES
    assert records[0][8].endswith(":FX")
    assert records[0][9].startswith("0|1:")
    assert records[0][9].endswith(":0.1,1e-09")


def test_text_of_bgzip_and_of_gzip(tmp_path: Path, source: Path) -> None:
    packed = tmp_path / "packed.gz"
    pysam.tabix_compress(str(source), str(packed))
    assert places(taken(tmp_path, packed)) == PLACES
    with packed.open("wb") as out:
        subprocess.run(["gzip", "-c", str(source)], stdout=out, check=True)
    assert places(taken(tmp_path, packed)) == PLACES
