"""Records that describe one rearrangement: a decision about one holds for its mates.

A rearrangement has two records or more, and often only one of them says how uncertain
its place is. So mates are masked for the same donors, and requested and closed
together. Mates are found by MATEID and PARID, and by breakends that name each other's
place. Only records and alleles that an included sample carries take part, so that
nobody who is left out joins two records.

What a single record touches is `genomics.extent`'s subject; who is masked in a single
record is `genomics.subset`'s.

Source: VCF 4.5, section 5.4.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genomics import builds
from genomics.alleles import JOINS
from genomics.boundaries import Boundaries
from genomics.extent import SourceSite
from genomics.genotypes import MISSING

# Stands for MATEID and PARID in a store that an erasure wrote: numbers of pairs.
LINK_KEY = "GEMMULE_MATES"
_ID_KEYS = ("MATEID", "PARID")
KEYS = (*_ID_KEYS, LINK_KEY)
_JOIN = re.compile(rf"[\[\]]|<(?:{'|'.join(JOINS)})\b", re.IGNORECASE)
_LINKED = re.compile(
    rf"(?:^|;)(?:(?:{'|'.join(KEYS)})=|SVTYPE=(?:{'|'.join(JOINS)})\b)", re.IGNORECASE
)


def may_have(alt: str, info: str) -> bool:
    """Whether a record, by these two columns, may have a mate."""
    return _JOIN.search(alt) is not None or _LINKED.search(info) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record that may have mates, as included samples carry it.

    `line` is its place in the store, `ids` what ID says. `carriers` has, for each
    carried ALT, the columns of who has it, as the bits of a number; `masked` the
    columns of who withholds the record, taken by itself.
    """

    line: int
    ids: tuple[str, ...]
    source: SourceSite
    carriers: dict[int, int]
    masked: frozenset[int]


class Decision(NamedTuple):
    """What holds for a record and its mates: who is masked, and is it requested."""

    masked: frozenset[int]
    is_requested: bool
    is_closed: bool


def decide(rows: Iterable[Row], boundaries: Boundaries) -> dict[int, Decision]:
    """Return, by line, what holds for the records that have mates among these."""
    every = {row.line: row for row in rows}
    groups = _Groups(every)
    for lines in itertools.chain(links(every.values()), _meetings(every.values())):
        groups.join(lines)
    decisions: dict[int, Decision] = {}
    for group in groups.found():
        decision = _decide([every[line] for line in group], boundaries)
        decisions.update(dict.fromkeys(group, decision))
    return decisions


def links(rows: Iterable[Row]) -> list[tuple[int, ...]]:
    """Return the lines of records that name one another, group by group, in order."""
    every = list(rows)
    owners = defaultdict(list)
    for row in every:
        for name in row.ids:
            owners[name].append(row.line)
    named: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in every:
        for name in _mate_ids(row):
            if name in owners:
                named["", name].update((row.line, *owners[name]))
        for number in _entries(row, LINK_KEY):
            named[LINK_KEY, number].add(row.line)
    return sorted({tuple(sorted(lines)) for lines in named.values() if len(lines) > 1})


def _decide(rows: Sequence[Row], boundaries: Boundaries) -> Decision:
    masked = frozenset(itertools.chain.from_iterable(row.masked for row in rows))
    hidden = sum(1 << column for column in masked)
    sites = [
        row.source.reduce(kept)
        for row in rows
        if (kept := [n for n, who in row.carriers.items() if who & ~hidden])
    ]
    return Decision(
        masked=masked,
        is_requested=any(map(boundaries.is_requested, sites)),
        is_closed=any(map(boundaries.is_closed, sites)),
    )


def _meetings(rows: Iterable[Row]) -> list[list[int]]:
    """Return the lines of records that join the same two places."""
    pairs = defaultdict(list)
    for row in rows:
        here = _place(row.source.contig, row.source.pos)
        for contig, pos in row.source.other_ends(list(row.carriers)):
            pairs[frozenset((here, _place(contig, pos)))].append(row.line)
    return list(pairs.values())


def _place(contig: str, pos: int) -> tuple[str, int]:
    return builds.contig_key(contig), pos


def _mate_ids(row: Row) -> list[str]:
    return [name for key in _ID_KEYS for name in _entries(row, key)]


def _entries(row: Row, key: str) -> list[str]:
    """Return the entries of a list that speak of the carried alleles."""
    items = row.source.info.get(key, "").split(",")
    if len(items) == len(row.source.alts) and key != LINK_KEY:
        items = [items[number - 1] for number in row.carriers]
    return [item for item in items if item not in ("", MISSING)]


class _Groups:
    """Lines that were joined, directly or through others."""

    def __init__(self, lines: Iterable[int]) -> None:
        self._heads = {line: line for line in lines}

    def join(self, lines: Sequence[int]) -> None:
        first = self._head(lines[0])
        for line in lines[1:]:
            self._heads[self._head(line)] = first

    def found(self) -> list[list[int]]:
        """Return the groups of more than one line."""
        groups = defaultdict(list)
        for line in self._heads:
            groups[self._head(line)].append(line)
        return [group for group in groups.values() if len(group) > 1]

    def _head(self, line: int) -> int:
        while (head := self._heads[line]) != line:
            self._heads[line] = self._heads[head]
            line = head
        return line
