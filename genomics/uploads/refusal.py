"""Name every reason for which intake refuses a file.

The codes are part of the interface: pages translate them and tests count them. What
each message says is left to the module that refuses.
"""

from typing import Literal

from genomics.errors import IntakeRefused

Code = Literal[
    # The file is something else.
    "empty",
    "not-vcf",
    "bcf",
    "bam",
    "cram",
    "index",
    "archive",
    "crypt4gh",
    # The bytes are not whole.
    "truncated",
    "crc",
    "corrupt",
    "trailing-data",
    # It is larger than the job allows.
    "too-large",
    "ratio",
    "line-length",
    "header-length",
    "too-many-samples",
    "too-many-contigs",
    "too-many-alleles",
    "too-many-fields",
    "too-many-records",
    # The text is not text.
    "nul",
    "control-character",
    "encoding",
    "blank-line",
    # The header.
    "version",
    "header-line",
    "header-conflict",
    "header-missing",
    "column-header",
    "build-mismatch",
    "no-samples",
    "sample-name",
    "sample-duplicate",
    # A record.
    "column-count",
    "contig-name",
    "contig-order",
    "position",
    "position-order",
    "position-beyond-contig",
    "id",
    "ref",
    "alt",
    "qual",
    "filter",
    "info",
    "info-duplicate",
    "info-value",
    "format",
    "format-duplicate",
    "format-value",
    "genotype",
    "genotype-allele",
    # All its records are sound, and none could ever be released.
    "nothing-to-release",
    # What is left for htslib to find.
    "htslib",
]


def refusal(
    code: Code, message: str, line: int | None = None, column: int | None = None
) -> IntakeRefused:
    """Return the error to raise; `line` and `column` are 1-based."""
    return IntakeRefused(code, message, line, column)
