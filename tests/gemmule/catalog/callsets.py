"""Small call sets for the tests of the catalogue."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pysam

from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFile, Dataset

DESCRIPTION = Description(
    title="A small call set",
    summary="Three people, a handful of sites on chromosome 2, for tests.",
    build="GRCh37",
)
NAMES = ("NA00001", "NA00002", "NA00003")

Check = Callable[[DataFile], DataFile]


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


def bgzip(data: bytes, path: Path) -> bytes:
    """Return the bytes in BGZF, written to `path`; plain text is left beside it."""
    plain = path.with_suffix(".plain")
    plain.write_bytes(data)
    pysam.tabix_compress(str(plain), str(path))
    return path.read_bytes()


def bulky(sites: int = 3000) -> bytes:
    """Return a VCF of many sites that does not pack well: several BGZF blocks."""
    rng = random.Random(7)
    rows = [
        f"2\t{1000 + number}\t.\tA\tG\t{rng.random()}\tPASS\tAC=1\tGT\t0/1\t0/0\t1/1\n"
        for number in range(sites)
    ]
    header = b"".join(vcf().splitlines(keepends=True)[:5])
    return header + "".join(rows).encode()


def spoilt(data: bytes, offset: int) -> bytes:
    """Return the bytes with one bit turned at `offset`, negative from the end."""
    changed = bytearray(data)
    changed[offset] ^= 1
    return bytes(changed)
