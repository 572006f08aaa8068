"""Write a simulated cohort as an imputed or sequenced panel is: GT alone, phased."""

import random
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tskit

CONTIG = "chr22"
_HEADER = """\
##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##contig=<ID={contig},length={length}>
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Allele number">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=NS,Number=1,Type=Integer,Description="Samples with data">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Total depth">
##INFO=<ID=VT,Number=.,Type=String,Description="Variant type">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
"""


def write(trees: "tskit.TreeSequence", file: IO[bytes]) -> int:
    """Write the sites that vary, one at each position; return how many."""
    people = trees.num_individuals
    depths = random.Random(5)
    columns = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    columns += [f"HG{number:05d}" for number in range(people)]
    length = int(trees.sequence_length) + 1
    file.write(_HEADER.format(contig=CONTIG, length=length).encode())
    file.write(("#" + "\t".join(columns) + "\n").encode())
    cells = np.empty((people, 4), np.uint8)
    cells[:, 1], cells[:, 3] = ord("|"), ord("\t")
    sites = last = 0
    for variant in trees.variants():
        pos = int(variant.site.position) + 1
        alleles = variant.alleles
        counts = np.bincount(variant.genotypes, minlength=len(alleles))
        kept = [each for each in range(len(alleles)) if each == 0 or counts[each]]
        if pos <= last or len(kept) < 2:
            continue
        last = pos
        digits = np.zeros(len(alleles), np.uint8)
        digits[kept] = ord("0") + np.arange(len(kept))
        carried = digits[variant.genotypes]
        cells[:, 0], cells[:, 2] = carried[0::2], carried[1::2]
        counted = [int(counts[each]) for each in kept[1:]]
        info = (
            f"AC={','.join(map(str, counted))};AN={2 * people};"
            f"AF={','.join(f'{each / (2 * people):.6g}' for each in counted)};"
            f"NS={people};DP={depths.randint(20 * people, 40 * people)};VT=SNP"
        )
        alts = ",".join(alleles[each] for each in kept[1:])
        fixed = f"{CONTIG}\t{pos}\trs{100_000 + sites}\t{alleles[0]}\t{alts}\t100\tPASS"
        line = bytearray(f"{fixed}\t{info}\tGT\t".encode()) + cells.tobytes()
        line[-1] = ord("\n")
        file.write(line)
        sites += 1
    return sites
