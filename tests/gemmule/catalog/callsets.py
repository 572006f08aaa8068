"""Small call sets for the tests of the catalogue."""

from typing import Protocol

from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFile, Dataset

DESCRIPTION = Description(
    title="A small call set",
    summary="Three people, a handful of sites on chromosome 2, for tests.",
    build="GRCh37",
)
NAMES = ("NA00001", "NA00002", "NA00003")


class Upload(Protocol):
    """Sends bytes as a file of a dataset."""

    def __call__(
        self, data: bytes, name: str = ..., *, dataset: Dataset | None = None
    ) -> DataFile: ...


def vcf(names: tuple[str, ...] = NAMES, *, length: int | None = 243_199_373) -> bytes:
    """Return a sound VCF of 7 lines: the fifth names the columns, two sites follow."""
    stated = "" if length is None else f",length={length}"
    header = [
        "##fileformat=VCFv4.2",
        f"##contig=<ID=2{stated}>",
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alleles">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    ]
    table = [
        ("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT", names),
        ("2 1000 rs1 A G 50 PASS AC=1 GT", ("0/1",) * len(names)),
        ("2 2000 . C T 50 PASS AC=1 GT", ("0/0",) * len(names)),
    ]
    rows = ["\t".join((*fixed.split(), *columns)) for fixed, columns in table]
    lines = [*header, *rows]
    return "".join(f"{line}\n" for line in lines).encode()
