"""The disease graph: labels, self-or-descendant over all parents, obsolete ids.

What follows from a match is the policy's business, not this module's.
Source: Mondo Disease Ontology, Monarch Initiative, CC BY 4.0 (see data/SOURCE.md).
"""

import gzip
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files

# Every release ever signed stays here; see data/SOURCE.md.
VERSIONS = ("2026-05-05",)
VERSION = VERSIONS[-1]

_EXACT, _PREFIX, _WORD, _INSIDE = range(4)


class DiseaseGraph:
    """One release of the ontology: a directed acyclic graph of disease ids."""

    def __init__(self, *, version: str, rows: Iterable[str]) -> None:
        """Read tab-separated rows: id, label, parents, obsolete, replaced_by, synonyms.

        Parents and synonyms are joined by `|`; obsolete is "1" or empty.
        """
        self.version = version
        self._labels: dict[str, str] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._replaced_by: dict[str, str] = {}
        self._synonyms: dict[str, str] = {}
        for row in rows:
            term, label, parents, obsolete, replaced_by, synonyms = row.split("\t")
            self._labels[term] = label
            if obsolete:
                self._replaced_by[term] = replaced_by
                continue
            self._parents[term] = tuple(parents.split("|")) if parents else ()
            self._synonyms[term] = synonyms
        self._ancestors: dict[str, frozenset[str]] = {}

    def __contains__(self, term: str) -> bool:
        """Tell whether the id is a living term of this release."""
        return term in self._parents

    def __len__(self) -> int:
        """Return the number of ids, obsolete ones included."""
        return len(self._labels)

    def is_obsolete(self, term: str) -> bool:
        return term in self._replaced_by

    def label(self, term: str) -> str | None:
        """Return the name of a living or obsolete id, or None for an unknown one."""
        return self._labels.get(term)

    def resolve(self, term: str) -> str | None:
        """Return the living id that `term` is or was replaced by, or None.

        Replacements are followed through several releases; one that leaves the
        ontology, or leads back to itself, resolves to nothing.
        """
        seen: set[str] = set()
        while term in self._replaced_by and term not in seen:
            seen.add(term)
            term = self._replaced_by[term]
        return term if term in self._parents else None

    def is_self_or_descendant(self, term: str, ancestor: str) -> bool:
        """Tell whether `term` is `ancestor` or lies below it, over any parent.

        Both must be living ids of this release, else the answer is no.
        """
        if term not in self._parents or ancestor not in self._parents:
            return False
        return ancestor in self._self_and_ancestors(term)

    def self_and_descendants(self, term: str) -> frozenset[str]:
        """Return all living ids at or below `term`; empty for any other id."""
        if term not in self._parents:
            return frozenset()
        found = {term}
        waiting = [term]
        while waiting:
            for child in self._children.get(waiting.pop(), ()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return frozenset(found)

    def search(self, text: str, limit: int = 20) -> list[tuple[str, str]]:
        """Return (id, label) of living terms whose name or synonym holds `text`.

        Best first: equal, then beginning with it, then a word beginning with it,
        then anywhere; a term's own name before its synonyms, short names first.
        A pasted id is found too.

        >>> graph().search("breast cancer", 1)
        [('MONDO:0007254', 'breast cancer')]
        """
        wanted = " ".join(text.split()).lower()
        if not wanted or limit < 1:
            return []
        if (pasted := wanted.upper()) in self._parents:
            return [(pasted, self._labels[pasted])]
        ranked = [
            (*rank, len(self._labels[term]), self._labels[term], term)
            for term, names in self._names.items()
            # One test on the joined names spares the ranking of 28,000 terms.
            if wanted in names and (rank := _rank(wanted, names.split("|")))
        ]
        return [(row[-1], row[-2]) for row in sorted(ranked)[:limit]]

    def _self_and_ancestors(self, term: str) -> frozenset[str]:
        known = self._ancestors.get(term)
        if known is None:
            found = {term}
            waiting = [term]
            while waiting:
                for parent in self._parents[waiting.pop()]:
                    if parent not in found:
                        found.add(parent)
                        waiting.append(parent)
            known = self._ancestors[term] = frozenset(found)
        return known

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        children: dict[str, list[str]] = {}
        for term, parents in self._parents.items():
            for parent in parents:
                children.setdefault(parent, []).append(term)
        return children

    @cached_property
    def _names(self) -> Mapping[str, str]:
        # The label is always first: a hit in it outranks one in a synonym.
        return {
            term: f"{self._labels[term].replace('|', ' ')}|{synonyms}".lower()
            for term, synonyms in self._synonyms.items()
        }


@cache
def graph(version: str = VERSION) -> DiseaseGraph:
    """Return a shipped release, read at its first use (0.2 s) and then kept."""
    if version not in VERSIONS:
        raise LookupError(
            f"disease ontology {version!r} is not shipped; known: {', '.join(VERSIONS)}"
        )
    packed = files("consent").joinpath(f"data/mondo_{version}.tsv.gz").read_bytes()
    rows = gzip.decompress(packed).decode("utf-8").splitlines()
    return DiseaseGraph(version=version, rows=rows[1:])


def _rank(wanted: str, names: list[str]) -> tuple[int, int] | None:
    ranks = [
        (_closeness(wanted, name), min(position, 1))
        for position, name in enumerate(names)
        if wanted in name
    ]
    return min(ranks) if ranks else None


def _closeness(wanted: str, name: str) -> int:
    if name == wanted:
        return _EXACT
    if name.startswith(wanted):
        return _PREFIX
    if f" {wanted}" in name:
        return _WORD
    return _INSIDE
