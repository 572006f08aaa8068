"""Count the samples of an upload whose local alleles cannot be read.

A release converts LGT, LAA and Hail's LA, and drops what it cannot convert; the
warnings tell the steward how much that is. `genomics.local_alleles` reads them.
"""

from collections.abc import Sequence

from genomics import local_alleles
from genomics.genotypes import alleles_of
from genomics.local_alleles import GENOTYPE, HAIL_LIST, LIST
from genomics.uploads.tally import Count

Column = Sequence[bytes | None]


class LocalLists:
    """Looks at the records whose FORMAT has local alleles."""

    def __init__(self) -> None:
        self._unreadable = Count()
        self._without_list = Count()

    def add(
        self, keys: Sequence[str], columns: Sequence[Column], alt_count: int, line: int
    ) -> None:
        """Take a record; `columns` are the samples' values of each of the keys."""
        places = {key: place for place, key in enumerate(keys)}
        list_key = LIST if LIST in places else HAIL_LIST
        if list_key not in places:
            self._without_list.add(line)
            return
        pairs = zip(
            _texts(columns, places[list_key]),
            _texts(columns, places.get(GENOTYPE)),
            strict=True,
        )
        unreadable = sum(
            not _is_readable(listed, genotype, alt_count, is_hail=list_key != LIST)
            for listed, genotype in pairs
        )
        self._unreadable.add(line, unreadable)

    def warnings(self) -> list[str]:
        """Return what a release drops."""
        warnings = []
        if (unreadable := self._unreadable).total:
            warnings.append(
                f"line {unreadable.line}: {unreadable.total} sample(s), the first of "
                "them in this line, have local alleles that cannot be read: expected "
                "numbers of ALT in LAA, 0 and then numbers of ALT in LA, and places in "
                "that list in LGT; releases will have none of their local fields"
            )
        if (without_list := self._without_list).total:
            warnings.append(
                f"line {without_list.line}: {without_list.total} record(s), this one "
                "is the first, have local fields without LAA or LA: releases will have "
                "none of these fields"
            )
        return warnings


def has_local(keys: Sequence[str]) -> bool:
    """Whether FORMAT has fields that speak of local alleles."""
    return any(key in local_alleles.FIELDS for key in keys)


def _texts(columns: Sequence[Column], place: int | None) -> list[str]:
    if place is None or place >= len(columns):
        return ["."] * len(columns[0])
    return [
        "." if value is None else value.decode("latin-1") for value in columns[place]
    ]


def _is_readable(listed: str, genotype: str, alt_count: int, *, is_hail: bool) -> bool:
    local = local_alleles.listed(listed, alt_count, is_hail=is_hail)
    alleles = alleles_of(genotype)
    return local is not None and alleles is not None and max(alleles) <= len(local)
