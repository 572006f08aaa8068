"""Know the genome builds: contig lengths, names of contigs, pseudoautosomal regions.

Which build a file follows is told from its contig lengths alone; whether to believe a
steward who says otherwise is left to intake. Inside Gemmule a chromosome is named as
the GRC does, without prefix: "1".."22", "X", "Y", "MT".

Source: Genome Reference Consortium, assemblies GRCh37.p13 and GRCh38.p14.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

Build = Literal["GRCh37", "GRCh38"]
BUILDS: tuple[Build, ...] = get_args(Build)

CHROMOSOMES = (*(str(number) for number in range(1, 23)), "X", "Y", "MT")

# Primary chromosomes in the order of CHROMOSOMES, less MT: the mitochondrion of both
# builds is the revised Cambridge sequence.
_GRCH37 = """
    249250621 243199373 198022430 191154276 180915260 171115067 159138663 146364022
    141213431 135534747 135006516 133851895 115169878 107349540 102531392 90354753
    81195210 78077248 59128983 63025520 48129895 51304566 155270560 59373566
"""
_GRCH38 = """
    248956422 242193529 198295559 190214555 181538259 170805979 159345973 145138636
    138394717 133797422 135086622 133275309 114364328 107043718 101991189 90338345
    83257441 80373285 58617616 64444167 46709983 50818468 156040895 57227415
"""
_MT_LENGTH = 16_569
# What tools write as a length that they do not know: nothing, the largest contig that a
# tabix index can hold, or the largest numbers of 31 and 32 bits.
_PLACEHOLDERS = (0, 2**29 - 1, 2**29, *range(2**31 - 3, 2**31 + 1), 2**32 - 1)
# UCSC's hg19 has an older mitochondrion (NC_001807) with other coordinates.
_HG19_CHRM_LENGTH = 16_571


def _lengths(table: str) -> dict[str, int]:
    numbers = [int(number) for number in table.split()]
    return dict(zip(CHROMOSOMES, [*numbers, _MT_LENGTH], strict=True))


LENGTHS: Mapping[Build, Mapping[str, int]] = {
    "GRCh37": _lengths(_GRCH37),
    "GRCh38": _lengths(_GRCH38),
}

# (contig, start_0, end): where X and Y pair, so that both sexes carry two copies.
PSEUDOAUTOSOMAL: Mapping[Build, tuple[tuple[str, int, int], ...]] = {
    "GRCh37": (
        ("X", 60_000, 2_699_520),
        ("X", 154_931_043, 155_260_560),
        ("Y", 10_000, 2_649_520),
        ("Y", 59_034_049, 59_363_566),
    ),
    "GRCh38": (
        ("X", 10_000, 2_781_479),
        ("X", 155_701_382, 156_030_895),
        ("Y", 10_000, 2_781_479),
        ("Y", 56_887_902, 57_217_415),
    ),
}

_NAME = re.compile(r"(?:chr)?([1-9]|1[0-9]|2[0-2]|X|Y|M|MT)", re.IGNORECASE)


def chromosome(name: str) -> str | None:
    """Return the chromosome that a contig name stands for, None for other contigs.

    >>> chromosome("chr7"), chromosome("chrM"), chromosome("x"), chromosome("chrUn_1")
    ('7', 'MT', 'X', None)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    found = match[1].upper()
    return "MT" if found == "M" else found


def contig_key(name: str) -> str:
    """Return what all names of one contig have in common: the chromosome, or the name.

    >>> contig_key("chr7"), contig_key("7"), contig_key("chrUn_1")
    ('7', '7', 'chrUn_1')
    """
    return chromosome(name) or name


def resolve_contig(name: str, contigs: Iterable[str]) -> str | None:
    """Return the one of `contigs` that `name` means, None when none or two may be.

    A name spelt the same wins; else chr7 and 7, or chrM, M and MT, are one.

    >>> resolve_contig("17", ["chr1", "chr17"])
    'chr17'
    """
    names = list(contigs)
    if name in names:
        return name
    wanted = chromosome(name)
    if wanted is None:
        return None
    found = [other for other in names if chromosome(other) == wanted]
    return found[0] if len(found) == 1 else None


def expected_length(build: Build, name: str) -> int | None:
    """Return how long the build says the contig is, None for one it does not name."""
    found = chromosome(name)
    return None if found is None else LENGTHS[build][found]


def is_placeholder(length: int) -> bool:
    """Whether the number is one that tools write for a length they do not know."""
    return length in _PLACEHOLDERS


def is_length_of(build: Build, name: str, length: int) -> bool:
    """Whether a contig of this name and length may stand in the build.

    Contigs that are no chromosome are not judged. UCSC's hg19 mitochondrion counts
    as GRCh37, though positions on it are other ones (see `is_placeable`).
    """
    found = chromosome(name)
    if found is None or length == LENGTHS[build][found]:
        return True
    return build == "GRCh37" and found == "MT" and length == _HG19_CHRM_LENGTH


def is_placeable(build: Build, name: str, length: int | None) -> bool:
    """Whether coordinates of the build hold on a file's contig.

    False for contigs outside the build and for the mitochondrion of UCSC's hg19, on
    which a region given for the revised Cambridge sequence would cut other bases.
    """
    expected = expected_length(build, name)
    if expected is None or length is None:
        return expected is not None
    return length == expected or is_placeholder(length)


def detect_build(contigs: Iterable[tuple[str, int | None]]) -> Build | None:
    """Return the build whose lengths all given chromosomes have, None when unsure.

    Unsure is: no chromosome has a length, a length fits neither build, or some fit
    one and some the other. The mitochondrion, equal in both, decides nothing, and nor
    do placeholders.

    >>> detect_build([("chr1", 248956422), ("chrM", 16569), ("chrUn_1", 5)])
    'GRCh38'
    """
    known = [
        (name, length)
        for name, length in contigs
        if length is not None
        and not is_placeholder(length)
        and chromosome(name) not in (None, "MT")
    ]
    fitting: list[Build] = [
        build
        for build in BUILDS
        if known and all(is_length_of(build, *contig) for contig in known)
    ]
    return fitting[0] if len(fitting) == 1 else None
