"""Write a simulated cohort as GATK calls one jointly: GT:AD:DP:GQ:PL, unphased.

With insertions, third alleles, `*`, missing calls, likelihoods of negative-binomial
depths, and a header whose command line names a sample.
"""

from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tskit

CONTIG = "chr22"
MAX_SITES = 30_000
_ERROR_RATE = 0.005
_INSERTED = ("AT", "GTTA", "CAA", "TG")
_FLOATS = (
    *("BaseQRankSum", "ExcessHet", "FS", "InbreedingCoeff", "MQ", "MQRankSum"),
    *("QD", "ReadPosRankSum", "SOR", "VQSLOD"),
)
_HEADER = """\
##fileformat=VCFv4.2
##ALT=<ID=NON_REF,Description="Any possible alternative allele at this location">
##FILTER=<ID=PASS,Description="All filters passed">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Genotype likelihoods, Phred">
##GATKCommandLine=<ID=GenotypeGVCFs,CommandLine="GenotypeGVCFs --sample NWD000001">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Allele number">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=MLEAC,Number=A,Type=Integer,Description="Likeliest allele count">
##INFO=<ID=MLEAF,Number=A,Type=Float,Description="Likeliest allele frequency">
##INFO=<ID=culprit,Number=1,Type=String,Description="Worst annotation">
##contig=<ID={contig},length={length}>
"""


def write(trees: "tskit.TreeSequence", file: IO[bytes]) -> int:
    """Write the first 30,000 sites that vary; return how many."""
    people = trees.num_individuals
    random = np.random.default_rng(5)
    columns = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    columns += [f"NWD{number:06d}" for number in range(people)]
    head = _HEADER.format(contig=CONTIG, length=int(trees.sequence_length) + 1)
    for key in _FLOATS:
        head += f'##INFO=<ID={key},Number=1,Type=Float,Description="{key}">\n'
    file.write((head + "#" + "\t".join(columns) + "\n").encode())
    sites = last = 0
    for variant in trees.variants():
        pos = int(variant.site.position) + 1
        alleles, genotypes = _present(variant)
        if pos <= last or len(alleles) < 2:
            continue
        last = pos
        alleles, genotypes = _varied(alleles, genotypes, random)
        calls = _Calls(genotypes, len(alleles), random)
        if not calls.number:
            continue
        ref, alts = alleles[0], ",".join(alleles[1:])
        quality = f"{random.random() * 1e4:.2f}"
        info = calls.info(random)
        fixed = f"{CONTIG}\t{pos}\t.\t{ref}\t{alts}\t{quality}\tPASS\t{info}"
        line = "\t".join([fixed, "GT:AD:DP:GQ:PL", *calls.cells])
        file.write(line.encode() + b"\n")
        sites += 1
        if sites == MAX_SITES:
            break
    return sites


def _present(variant: "tskit.Variant") -> tuple[list[str], NDArray[np.int64]]:
    counts = np.bincount(variant.genotypes, minlength=len(variant.alleles))
    kept = [each for each in range(len(counts)) if each == 0 or counts[each]]
    codes = np.zeros(len(counts), np.int64)
    codes[kept] = np.arange(len(kept))
    return [variant.alleles[each] for each in kept], codes[variant.genotypes]


def _varied(
    alleles: list[str], genotypes: NDArray[np.int64], random: np.random.Generator
) -> tuple[list[str], NDArray[np.int64]]:
    """Give some sites a third allele and make some insertions."""
    drawn = random.random()
    carriers = np.flatnonzero(genotypes == 1)
    if drawn < 0.04 and len(alleles) == 2 and len(carriers) > 2:
        third = max(1, len(carriers) // 3)
        genotypes[random.choice(carriers, third, replace=False)] = 2
        other = next(base for base in "ACGT" if base not in alleles)
        alleles = [*alleles, "*" if drawn < 0.01 else other]
    elif drawn < 0.14:
        inserted = _INSERTED[random.integers(len(_INSERTED))]
        alleles = [alleles[0], alleles[0] + inserted, *alleles[2:]]
    return alleles, genotypes


class _Calls:
    """The calls of one site: `cells` of text, and `number` of alleles called."""

    def __init__(
        self, genotypes: NDArray[np.int64], alleles: int, random: np.random.Generator
    ) -> None:
        people = len(genotypes) // 2
        pairs = [(i, j) for j in range(alleles) for i in range(j + 1)]
        labels = [f"{i}/{j}" for i, j in pairs]
        depths = random.negative_binomial(12, 12 / (12 + 32), people)
        depths[random.random(people) < 0.008] = 0
        reads = _reads(genotypes, alleles, depths, random)
        likelihoods = _likelihoods(pairs, reads, depths)
        best = likelihoods.argmin(1).tolist()
        quality = np.minimum(np.partition(likelihoods, 1, axis=1)[:, 1], 99).tolist()
        unread = f"./.:{','.join('0' * alleles)}:0:.:{','.join('0' * len(pairs))}"
        self.cells: list[str] = []
        self._counts = [0] * alleles
        self._depth = int(depths.sum())
        rows = zip(
            depths.tolist(),
            best,
            reads.tolist(),
            quality,
            likelihoods.tolist(),
            strict=True,
        )
        for depth, call, read, sure, likely in rows:
            if not depth:
                self.cells.append(unread)
                continue
            for allele in pairs[call]:
                self._counts[allele] += 1
            self.cells.append(
                f"{labels[call]}:{','.join(map(str, read))}:{depth}:{sure}:"
                f"{','.join(map(str, likely))}"
            )
        self.number = sum(self._counts)

    def info(self, random: np.random.Generator) -> str:
        """Return the INFO of a cohort, which no subset of it may keep."""
        counts = ",".join(map(str, self._counts[1:]))
        shares = ",".join(f"{each / self.number:.3g}" for each in self._counts[1:])
        known: list[tuple[str, Any]] = [
            ("AC", counts),
            ("AF", shares),
            ("AN", self.number),
            ("DP", self._depth),
            ("MLEAC", counts),
            ("MLEAF", shares),
        ]
        drawn = random.normal(size=len(_FLOATS))
        known += [
            (key, f"{each:.3f}") for key, each in zip(_FLOATS, drawn, strict=True)
        ]
        return ";".join(f"{key}={value}" for key, value in [*known, ("culprit", "MQ")])


def _reads(
    genotypes: NDArray[np.int64],
    alleles: int,
    depths: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Return how many reads show each allele: people x alleles."""
    everyone = np.arange(len(depths))
    low = np.minimum(genotypes[0::2], genotypes[1::2])
    high = np.maximum(genotypes[0::2], genotypes[1::2])
    reads = np.zeros((len(depths), alleles), np.int64)
    half = random.binomial(depths, 0.5)
    reads[everyone, low] += half
    reads[everyone, high] += depths - half
    wrong = np.minimum(random.binomial(depths, _ERROR_RATE), reads[everyone, low])
    reads[everyone, low] -= wrong
    reads[everyone, np.where(low == 0, 1, 0)] += wrong
    return reads


def _likelihoods(
    pairs: list[tuple[int, int]], reads: NDArray[np.int64], depths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return PL: people x genotypes, 0 for the likeliest."""
    right, wrong = np.log10(1 - _ERROR_RATE), np.log10(_ERROR_RATE / 3)
    logs = np.empty((len(depths), len(pairs)))
    for number, (i, j) in enumerate(pairs):
        shown = reads[:, i] if i == j else reads[:, i] + reads[:, j]
        each = right if i == j else np.log10(0.5)
        logs[:, number] = shown * each + (depths - shown) * wrong
    scaled = np.rint(-10 * (logs - logs.max(1, keepdims=True)))
    found: NDArray[np.int64] = np.minimum(scaled, 4000).astype(np.int64)
    return found
