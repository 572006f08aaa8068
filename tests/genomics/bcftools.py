"""bcftools, through pysam, as an oracle of genotypes."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam.bcftools


def view(*arguments: str) -> str:
    """Return what `bcftools view` says."""
    told = pysam.bcftools.view(*arguments)
    assert isinstance(told, str)
    return told


def write(*arguments: str) -> None:
    """Let `bcftools view` write a file, as -o says."""
    pysam.bcftools.view(*arguments, catch_stdout=False)


def bcftools_genotypes(text: str, names: Sequence[str]) -> str:
    """Return what bcftools leaves of the genotypes of these samples, now N0, N1, ...

    Samples are chosen, unused ALT alleles trimmed and uncarried sites dropped. It gets
    nothing but genotypes, for it leaves the whole process at values of a wrong length.
    """
    lines = text.splitlines()
    columns = next(line for line in lines if line.startswith("#CHROM")).split("\t")
    numbers = {columns.index(name, 9): f"N{n}" for n, name in enumerate(names)}
    columns[9:] = [numbers.get(place, f"X{place}") for place in range(9, len(columns))]
    rows = [line.split("\t") for line in lines if line[0] != "#"]
    bare = []
    for row in rows:
        if row[8].split(":")[0] == "GT":
            cells = [cell.partition(":")[0] for cell in row[9:]]
            bare.append(
                [*row[:2], ".", row[3].upper(), row[4], ".", ".", ".", "GT", *cells]
            )
    header = ["##fileformat=VCFv4.4"]
    header += [f"##contig=<ID={name}>" for name in dict.fromkeys(r[0] for r in rows)]
    header.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    written = [*header, *("\t".join(row) for row in [columns, *bare]), ""]
    with tempfile.TemporaryDirectory() as folder:
        source, chosen = Path(folder, "source.vcf"), Path(folder, "names")
        source.write_text("\n".join(written))
        chosen.write_text("".join(f"N{n}\n" for n in range(len(names))))
        once = Path(folder, "once.vcf")
        once.write_text(view("-S", str(chosen), "--trim-alt-alleles", str(source)))
        return view("--min-ac", "1", str(once))
