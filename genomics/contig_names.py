"""Find the chromosome of a build behind the other names that files give to contigs.

PLINK writes 23 to 26 (also chr23) for X, Y, the pseudoautosomal part of X and MT, or
XY, PAR1 and PAR2 for that part, or two characters each: 01, 0X, 0M. UK Biobank has 01
to 09. RefSeq and GenBank have accessions, whose version tells the build as well. The
plain names (1, chr1, X, chrM, MT) are the subject of `builds`.

Source: PLINK 1.9, "Output chromosome codes"; PLINK 2.0, --split-par; NCBI Datasets,
GCF_000001405.25 (GRCh37.p13) and GCF_000001405.40 (GRCh38.p14), public domain.
"""

import re
from collections.abc import Mapping

from genomics import builds
from genomics.builds import CHROMOSOMES, Build

# The codes that may as well be chromosomes of another species.
_CODES = {"23": "X", "24": "Y", "25": "X", "26": "MT"}
_OTHER_NAMES = {
    **{f"0{number}": str(number) for number in range(1, 10)},
    "0X": "X",
    "0Y": "Y",
    "0M": "MT",
    "XY": "X",
    "PAR1": "X",
    "PAR2": "X",
}
_PARTS_OF_X = ("25", "XY", "PAR1", "PAR2")

# Versions of NC_000001 to NC_000024 in GRCh37, in the order of CHROMOSOMES; each is one
# higher in GRCh38. GenBank's CM000663 to CM000686 have version 1 and 2.
_REFSEQ_GRCH37 = (
    *(10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11),
    *(10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9),
)
_FIRST_GENBANK = 663
_MITOCHONDRION = ("NC_012920.1", "J01415.2")
_ACCESSION = re.compile(r"(NC_|CM)([0-9]{6})\.([0-9]{1,3})")


def accession_of(chromosome: str, build: Build) -> str:
    """Return the RefSeq accession of a chromosome.

    >>> accession_of("1", "GRCh38")
    'NC_000001.11'
    """
    if chromosome == "MT":
        return _MITOCHONDRION[0]
    index = CHROMOSOMES.index(chromosome)
    version = _REFSEQ_GRCH37[index] + (build == "GRCh38")
    return f"NC_{index + 1:06}.{version}"


def named_by_accession(name: str) -> tuple[str, tuple[Build, ...]] | None:
    """Return the chromosome that an accession names, and the builds that have it.

    None for other names; no build has an accession of an older or a newer version.

    >>> named_by_accession("NC_000001.10"), named_by_accession("CM000663.3")
    (('1', ('GRCh37',)), ('1', ()))
    """
    if name in _MITOCHONDRION:
        return "MT", builds.BUILDS
    match = _ACCESSION.fullmatch(name)
    if match is None:
        return None
    is_refseq, version = match[1] == "NC_", int(match[3])
    index = int(match[2]) - (1 if is_refseq else _FIRST_GENBANK)
    if not 0 <= index < len(_REFSEQ_GRCH37):
        return None
    first = _REFSEQ_GRCH37[index] if is_refseq else 1
    place = version - first
    return CHROMOSOMES[index], builds.BUILDS[place : place + 1] if place >= 0 else ()


def chromosome_in(build: Build, name: str) -> str | None:
    """Return the chromosome of a build that any name stands for, None for others.

    >>> [chromosome_in("GRCh38", name) for name in ("chrXY", "01", "NC_000001.10")]
    ['X', '1', None]
    """
    if accession := named_by_accession(name):
        chromosome, having = accession
        return chromosome if build in having else None
    bare = _bare(name)
    return builds.chromosome(name) or _OTHER_NAMES.get(bare) or _CODES.get(bare)


def is_part_of_x(name: str) -> bool:
    """Whether the name is PLINK's for the pseudoautosomal part of X."""
    return _bare(name) in _PARTS_OF_X


def is_code(name: str) -> bool:
    """Whether the name is a number above 22 that PLINK has a meaning for."""
    return _bare(name) in _CODES


class ContigNames:
    """Tells which chromosomes of a build the contigs of one file are.

    `contigs` are the file's names and stated lengths; the mapping may grow. Codes such
    as 23 count only where the file's other names and lengths leave no other reading.
    """

    def __init__(self, build: Build | None, contigs: Mapping[str, int | None]) -> None:
        self.build = build
        self._contigs = contigs

    def chromosome(self, name: str) -> str | None:
        """Return the chromosome that a contig is, None for other contigs."""
        if self.build is None:
            return builds.chromosome(name)
        if is_code(name) and name in self._contigs and not self._is_plink(name):
            return None
        return chromosome_in(self.build, name)

    def is_placed(self, name: str) -> bool:
        """Whether the build's coordinates hold on a contig of this name."""
        chromosome = self.chromosome(name)
        if chromosome is None or self.build is None:
            return self.build is None
        length = self._contigs.get(name)
        return builds.is_placeable(self.build, chromosome, length)

    def standard(self, name: str) -> str:
        """Return the name that a release gives to a contig.

        Names that the build has, as 1 or as chr1, stay, and so do contigs that are no
        chromosome of it.
        """
        chromosome = self.chromosome(name)
        if self.build is None or chromosome is None or not self._is_renamed(name):
            return name
        if named_by_accession(name) or not self._has_prefix(name):
            return chromosome
        return "chrM" if chromosome == "MT" else f"chr{chromosome}"

    def _is_renamed(self, name: str) -> bool:
        chromosome = builds.chromosome(name)
        if chromosome == "MT" and name not in ("MT", "chrM"):
            # On GRCh37 nobody can tell which mitochondrion M is.
            return self.build != "GRCh37"
        return chromosome is None

    def _has_prefix(self, name: str) -> bool:
        styles = {
            other[:3].lower() == "chr"
            for other in self._contigs
            if builds.chromosome(other)
        }
        return styles.pop() if len(styles) == 1 else name[:3].lower() == "chr"

    def _is_plink(self, name: str) -> bool:
        assert self.build is not None, "without a build no code has a meaning"
        bare = _bare(name)
        others = {_bare(other) for other in self._contigs}
        # 27 and up: another species. X beside 23: two things.
        if any(other.isdigit() and int(other) > 26 for other in others):
            return False
        if bare == "26" and "M" in others:
            return False
        if bare != "25" and _CODES[bare] in others:
            return False
        length = self._contigs[name]
        expected = builds.LENGTHS[self.build][_CODES[bare]]
        if length is None or builds.is_placeholder(length) or length == expected:
            return True
        # PLINK 1.9 states the last position + 1, and then of all contigs.
        return length < expected and not any(
            builds.expected_length(self.build, other) == stated
            for other, stated in self._contigs.items()
            if stated is not None
        )


def _bare(name: str) -> str:
    return name.upper().removeprefix("CHR")
