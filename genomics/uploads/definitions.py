"""Define INFO and FORMAT keys: those a header declares and the standard ones.

An upload may use a key of the specification without declaring it; then the canonical
header gets the specification's definition. What a release may hold is left to
`genomics.fields`.

Source: VCF 4.3 to 4.5, tables 1 and 2, and sections 3 and 4 for structural variants.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

Type = Literal["Integer", "Float", "Flag", "Character", "String"]
Version = tuple[int, int]

NUMBER = re.compile(r"0|[1-9][0-9]{0,5}|[ARG.]|LA|LR|LG|P|M")
# Numbers that older versions lack, and the version they came with.
_NUMBER_SINCE: dict[str, Version] = {
    "P": (4, 4),
    "LA": (4, 5),
    "LR": (4, 5),
    "LG": (4, 5),
    "M": (4, 5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a key means; `description` is escaped as it stands between its quotes."""

    id: str
    number: str
    type: Type
    description: str

    def line(self, kind: str) -> str:
        """Return the header line, without its end."""
        return (
            f"##{kind}=<ID={self.id},Number={self.number},Type={self.type},"
            f'Description="{self.description}">'
        )


def undeclared(
    kind: Literal["INFO", "FORMAT"], key: str, version: Version
) -> Definition:
    """Return the specification's definition of a key, or the widest one there is."""
    found = (INFO if kind == "INFO" else FORMAT).get(key)
    if found is None:
        return Definition(
            id=key, number=".", type="String", description="Not declared in the upload"
        )
    if version < _NUMBER_SINCE.get(found.number, version):
        return replace(found, number=".")
    return found


def as_text(definition: Definition) -> Definition:
    """Return the definition that any value fits."""
    return replace(definition, number=".", type="String")


def _table(rows: str) -> dict[str, Definition]:
    definitions = {}
    for row in rows.strip().splitlines():
        key, number, kind, description = row.split(maxsplit=3)
        types: dict[str, Type] = {
            "I": "Integer",
            "F": "Float",
            "S": "String",
            "0": "Flag",
        }
        definitions[key] = Definition(
            id=key, number=number, type=types[kind], description=description
        )
    return definitions


# Key, Number, Type (Integer, Float, String, 0 for Flag), description. Where versions
# differ in Number, '.' holds the values of all.
INFO = _table("""
1000G      0 0 1000 Genomes membership
AA         1 S Ancestral allele
AC         A I Allele count in genotypes, for each ALT allele
AD         R I Total read depth for each allele
ADF        R I Read depth for each allele on the forward strand
ADR        R I Read depth for each allele on the reverse strand
AF         A F Allele frequency for each ALT allele
AN         1 I Total number of alleles in called genotypes
BKPTID     . S Id of the assembled alternate allele in the assembly file
BQ         1 F RMS base quality
CICN       . F Confidence interval around copy number
CIEND      . I Confidence interval around END
CIGAR      A S How to align an alternate allele to the reference allele
CILEN      . I Confidence interval around SVLEN
CIPOS      . I Confidence interval around POS
CN         . F Copy number of the segment containing the breakend
DB         0 0 dbSNP membership
DBRIPID    . S Id of this element in DBRIP
DBVARID    . S Id of this element in DBVAR
DGVID      . S Id of this element in the Database of Genomic Variation
DP         1 I Combined depth across samples
DPADJ      . I Read depth of adjacency
END        1 I End position of the longest variant described in this record
EVENT      . S Id of the associated event
EVENTTYPE  . S Type of the associated event
H2         0 0 HapMap2 membership
H3         0 0 HapMap3 membership
HOMLEN     . I Length of base pair identical micro-homology at breakpoints
HOMSEQ     . S Sequence of base pair identical micro-homology at breakpoints
IMPRECISE  0 0 Imprecise structural variation
MATEID     . S Id of the mate breakend
MEINFO     . S Mobile element info of the form NAME,START,END,POLARITY
METRANS    . S Mobile element transduction info of the form CHR,START,END,POLARITY
MQ         1 F RMS mapping quality
MQ0        1 I Number of reads with mapping quality 0
NOVEL      0 0 Indicates a novel structural variation
NS         1 I Number of samples with data
PARID      . S Id of the partner breakend
RUC        . F Repeat unit count of the corresponding repeat sequence
RUS        . S Repeat unit sequence of the corresponding repeat sequence
SB         . F Strand bias
SOMATIC    0 0 Somatic mutation
SVCLAIM    A S Claim made by the structural variant call
SVLEN      . I Length of structural variant
SVTYPE     1 S Type of structural variant
VALIDATED  0 0 Validated by follow-up experiment
""")

FORMAT = _table("""
AD         R I Read depth for each allele
ADF        R I Read depth for each allele on the forward strand
ADR        R I Read depth for each allele on the reverse strand
CN         1 F Copy number
CNL        . F Copy number likelihoods
CNP        . F Copy number posterior probabilities
CNQ        1 F Copy number genotype quality
DP         1 I Read depth
DS         A F Expected count of each ALT allele (dosage)
EC         A I Expected alternate allele counts
FT         1 S Filter indicating if this genotype was called
GL         G F Genotype likelihoods, log10-scaled
GLE        . S Genotype likelihoods of heterogeneous ploidy
GP         G F Genotype posterior probabilities
GQ         1 I Conditional genotype quality
GT         1 S Genotype
HAP        1 I Unique haplotype identifier
HQ         2 I Haplotype quality
LAA        . I Indices into ALT of the alleles relevant for the sample
LAD        LR I Local-allele representation of AD
LADF       LR I Local-allele representation of ADF
LADR       LR I Local-allele representation of ADR
LEC        LA I Local-allele representation of EC
LEN        1 I Length of the reference block
LGL        LG F Local-allele representation of GL
LGP        LG F Local-allele representation of GP
LPL        LG I Local-allele representation of PL
LPP        LG I Local-allele representation of PP
MQ         1 I RMS mapping quality
NQ         1 F Phred-scaled probability that the variant is novel
PL         G I Phred-scaled genotype likelihoods rounded to the closest integer
PP         G I Phred-scaled genotype posterior probabilities, rounded
PQ         1 I Phasing quality
PS         1 I Phase set
PSL        P S Phase set list
PSO        P I Phase set list ordinal
PSQ        P I Phase set list quality
""")
