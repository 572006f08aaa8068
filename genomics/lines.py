"""How the lines of a VCF are read as text in this room.

Latin-1, so that every byte comes out as it went in.
"""

import re
from collections.abc import Iterable

ENCODING = "latin-1"
FIXED_COLUMNS = 9  # CHROM to FORMAT

Version = tuple[int, int]

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


def version_of(header: Iterable[str]) -> Version:
    """Return the version of VCF that a header's first line says; 4.3 without one.

    >>> version_of(["##fileformat=VCFv4.2", "##contig=<ID=1>"]), version_of([])
    ((4, 2), (4, 3))
    """
    match = _VERSION.match(next(iter(header), ""))
    return (int(match[1]), int(match[2])) if match else (4, 3)
