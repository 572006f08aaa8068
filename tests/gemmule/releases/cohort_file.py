"""A call set of 30 people whose private alleles tell who is in a release."""

COUNT = 30
NAMES = tuple(f"HG{number:05d}" for number in range(COUNT))
SHARED_POSITIONS = (900, 5000, 40000)


def private_position(index: int) -> int:
    """Return the position (1-based) at which only sample `index` carries an allele."""
    return 10_000 + 100 * index


def vcf() -> bytes:
    """Return a VCF with three shared sites and one private site per sample."""
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=2,length=243199373>",
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency in the cohort">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(NAMES),
    ]
    sites: list[tuple[int, int | None]]
    sites = [(position, None) for position in SHARED_POSITIONS]
    sites += [(private_position(index), index) for index in range(COUNT)]
    for position, carrier in sorted(sites):
        genotypes = [
            "0/1" if carrier is None or carrier == index else "0/0"
            for index in range(COUNT)
        ]
        lines.append(
            f"2\t{position}\t.\tA\tG\t50\tPASS\tAF=0.123\tGT\t" + "\t".join(genotypes)
        )
    return ("\n".join(lines) + "\n").encode()
