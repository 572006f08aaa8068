"""What intake makes of the files that the VCF specification's suite calls valid."""

from pathlib import Path

import pytest

from genomics.errors import IntakeRefused
from tests.genomics.uploads import (
    bcftools_records,
    bgzf,
    store_path,
    store_records,
    take_in,
)

VECTORS = Path("tests/vectors/hts_specs_passed").resolve()
FILES = sorted(str(path.relative_to(VECTORS)) for path in VECTORS.glob("*/*.vcf"))

# Why a valid file is refused all the same: code, line, column.
SITES_ONLY = "no-samples"
REFUSED: dict[str, tuple[str, int | None, int | None]] = {
    # Records of <1> stand between those of 1.
    "complexfile_passed_000.vcf": ("contig-order", 50, 1),
    # The last record has no ALT, and its genotypes call allele 1.
    "passed_body_alt.vcf": ("genotype-allele", 22, 11),
    # Records at 400 and 300, in this order.
    "zero_length_LAA.vcf": ("position-order", 8, 2),
}
# No sample columns, so nothing that a donor could give: all but these two of "meta"
# and "fileformat".
WITH_SAMPLES = ("passed_fileformat_header_001.vcf", "passed_fileformat_header_002.vcf")


def is_sites_only(name: str) -> bool:
    return name.startswith(("passed_meta", "passed_fileformat")) and (
        name not in WITH_SAMPLES
    )


@pytest.mark.parametrize("file", FILES)
def test_valid_file_is_taken_in_or_refused_for_a_reason(
    tmp_path: Path, file: str
) -> None:
    path = VECTORS / file
    lines = path.read_text().splitlines()
    names = next(
        number for number, line in enumerate(lines, 1) if line.startswith("#CHROM")
    )
    if is_sites_only(path.name) or path.name in REFUSED:
        with pytest.raises(IntakeRefused) as refused:
            take_in(tmp_path, path)
        error = refused.value
        expected = REFUSED.get(path.name, (SITES_ONLY, names, 9))
        assert (error.code, error.line, error.column) == expected
        return
    result = take_in(tmp_path, path)
    assert result.samples == tuple(lines[names - 1].split("\t")[9:])
    assert store_records(tmp_path) == lines[names:]
    assert result.records == len(lines) - names


# Integers, Floats and Flags that these files do not declare are text to bcftools, so
# its reading of upload and store can be compared where all is declared.
@pytest.mark.parametrize(
    "file", ["4.2/passed_body_samples.vcf", "4.3/passed_body_samples.vcf"]
)
def test_bcftools_reads_store_and_upload_alike(tmp_path: Path, file: str) -> None:
    packed = tmp_path / "source.vcf.gz"
    packed.write_bytes(bgzf((VECTORS / file).read_bytes()))
    take_in(tmp_path, packed)
    assert bcftools_records(store_path(tmp_path)) == bcftools_records(packed)


@pytest.mark.parametrize(
    "file", ["4.3/complexfile_passed_000.vcf", "4.5/zero_length_LAA.vcf"]
)
def test_valid_file_in_no_order_is_taken_in_once_sorted(
    tmp_path: Path, file: str
) -> None:
    lines = (VECTORS / file).read_text().splitlines()
    header = [line for line in lines if line.startswith("#")]
    rows = [line for line in lines if not line.startswith("#")]
    rows.sort(key=lambda row: (row.split("\t")[0], int(row.split("\t")[1])))
    upload = "".join(f"{line}\n" for line in [*header, *rows]).encode()
    assert take_in(tmp_path, upload).records == len(rows)
    assert store_records(tmp_path) == rows


def test_every_vector_is_there() -> None:
    assert len(FILES) == 76
