"""How the lines of a VCF are read as text in this room.

Latin-1, so that every byte comes out as it went in.
"""

import re
from collections.abc import Sequence

ENCODING = "latin-1"
FIXED_COLUMNS = 9  # CHROM to FORMAT

Version = tuple[int, int]
# Of a text that says none: the first version in which no value is scaled otherwise.
_DEFAULT_VERSION: Version = (4, 3)

_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=([^,>]+)")
_LENGTH = re.compile(r"[<,]length=(\d{1,12})[,>]")
_VERSION = re.compile(r"##fileformat=VCFv(\d{1,3})\.(\d{1,3})")


def as_read(text: str) -> str:
    """Return a text, such as a sample's name, as it comes out of a store: by bytes.

    >>> as_read("Zoë")
    'ZoÃ«'
    """
    return text.encode().decode(ENCODING)


def as_said(text: str) -> str:
    """Return a text as people write it; the opposite of `as_read`."""
    return text.encode(ENCODING).decode()


def contig_of(line: str) -> tuple[str, int | None] | None:
    """Return name and length, if it says one, when this header line is a contig's.

    >>> contig_of("##contig=<ID=20,length=63025520>")
    ('20', 63025520)
    """
    if not (match := _CONTIG.match(line)):
        return None
    length = _LENGTH.search(line)
    return match[1], int(length[1]) if length else None


def version_of(header: Sequence[str]) -> Version:
    """Return the version that the first line of a header says.

    >>> version_of(["##fileformat=VCFv4.1", "#CHROM"])
    (4, 1)
    """
    match = _VERSION.match(header[0]) if header else None
    return (int(match[1]), int(match[2])) if match else _DEFAULT_VERSION
