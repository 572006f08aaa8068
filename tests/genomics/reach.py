"""What a row touches and states, for a second opinion: plain, slow, and written apart.

Positions are 1-based and inclusive here.
"""

import re
from collections.abc import Mapping, Sequence

from genomics.builds import LENGTHS

Span = tuple[str, int, int]
_MOST = 2**31 - 1
_TYPES = ["DEL", "DUP", "INV", "INS", "CNV", "BND", "CPX", "TRA", "CTX"]


def entries_of(row: Sequence[str]) -> dict[str, str]:
    """Return INFO of a row."""
    return dict(part.partition("=")[::2] for part in row[7].split(";"))


def whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[+-]?\d+", text) else None


def same(one: str, other: str) -> bool:
    return plain(one) == plain(other)


def plain(contig: str) -> str:
    """Return a chromosome's name in short, any other as it is."""
    bare = re.sub("^chr", "", contig, flags=re.IGNORECASE).upper()
    bare = "MT" if bare == "M" else bare
    return bare if bare in LENGTHS["GRCh38"] else contig


class Statements:
    """What a row says of the alleles with these numbers."""

    def __init__(self, row: Sequence[str], kept: Sequence[int], version: str) -> None:
        self.contig, self.pos, self.ref = row[0], int(row[1]), row[3]
        self.every = row[4].split(",")
        self.kept = kept
        self.info = entries_of(row)
        self.is_new = version >= "4.4"
        self.alts = {number: self.every[number - 1] for number in kept}

    def kind(self, number: int) -> str:
        """Return a symbolic allele's type, BND of breakends, "" of bases."""
        alt = self.every[number - 1]
        if alt[0] == "<":
            return alt.strip("<>").split(":")[0].upper()
        return "" if alt.isalpha() or alt == "*" else "bnd"

    def spans(self, number: int) -> bool:
        return bool(re.fullmatch(r"DEL|DUP|INV|CNV|CN\d+", self.kind(number)))

    def size(self, number: int) -> int | None:
        sizes = self.info.get("SVLEN", "").split(",")
        if len(sizes) == len(self.every):
            return whole(sizes[number - 1])
        if len(sizes) == 1 and self.spans(number):
            return whole(sizes[0])
        return None

    def end(self) -> int | None:
        """Return END where it is not that of an allele that went."""
        end = whole(self.info.get("END"))
        gone = set(range(1, len(self.every) + 1)) - set(self.kept)
        if end is None or not any(
            abs(size) > 1 and self.pos + abs(size) == end
            for size in (self.size(number) or 0 for number in gone)
        ):
            return end
        needy = any(self.spans(n) and abs(self.size(n) or 0) <= 1 for n in self.kept)
        return end if needy else None

    def other_ends(self) -> list[tuple[str, int]]:
        """Return contig and position of each other end."""
        found = [
            (mate[1].strip("<>"), int(mate[2]))
            for alt in self.alts.values()
            if (mate := re.search(r"[\[\]](.+):(\d+)[\[\]]", alt))
        ]
        second = self.info.get("CHR2", self.contig)
        named = [
            place
            for key in ("END2", "POS2")
            if (place := whole(self.info.get(key))) is not None
        ]
        end = self.end()
        if named or end is None:
            return found + [(second, place) for place in named]
        names = {second, *(name for name, _ in found)}
        if end - self.pos in (0, 1):
            if all(map(self.is_away, self.kept)):
                return found
            names = {second}
        away = [name for name in names if not same(name, self.contig)]
        if not away and any(map(self.joins, self.kept)):
            away = [self.contig]
        return found + [(name, end) for name in away]

    def is_away(self, number: int) -> bool:
        mate = re.search(r"[\[\]](.+):\d+[\[\]]", self.every[number - 1])
        return mate is not None and not same(mate[1].strip("<>"), self.contig)

    def joins(self, number: int) -> bool:
        kind = self.kind(number)
        if not kind and self.every[number - 1] != "*":
            kind = self.info.get("SVTYPE", "")
        return kind in ("BND", "TRA", "CTX")

    def is_end_here(self, number: int) -> bool:
        if "END2" in self.info or "POS2" in self.info:
            return True
        has_second = not same(self.info.get("CHR2", self.contig), self.contig)
        if self.is_away(number):
            return whole(self.info.get("END")) in (self.pos, self.pos + 1)
        return not (self.joins(number) and has_second)

    def around(self, *keys: str) -> tuple[int, int]:
        """Return how far intervals reach to the left and to the right."""
        found = [0]
        for key in keys:
            items = self.info.get(key, "").split(",")
            if len(items) == 2 * len(self.every):
                items = [items[2 * n - k] for n in self.kept for k in (2, 1)]
            found += [number for item in items if (number := whole(item)) is not None]
        return min(found), max(found)

    def places(self, pos: int, ref: str) -> list[Span]:
        """Return what the alleles touch, in their shortest form here."""
        first, last = pos, pos + len(ref) - 1
        end = self.end()
        for number in self.kept:
            last = max(last, *self._lasts(number, pos), 0)
            if end is not None and self.is_end_here(number):
                last = max(last, end)
        left, right = self.around("CIPOS", "CIPOS95")
        left_end, right_end = self.around("CIEND", "CIEND95")
        longer = self.around("CILEN")[1]
        first, last = pos + left, max(last + right_end, last + longer, pos + right)
        others: list[Span] = []
        for contig, place in self.other_ends():
            if same(contig, self.contig):
                first, last = min(first, place + left_end), max(last, place + right_end)
            else:
                others.append((contig, place + left_end, place + right_end))
        second = self.info.get("CHR2", self.contig)
        is_anywhere = end is None and not {"END2", "POS2"} & set(self.info)
        if is_anywhere and not others and not same(second, self.contig):
            others.append((second, 1, _MOST))
        return [(self.contig, first, last), *others, *self._named()]

    def _lasts(self, number: int, pos: int) -> list[int]:
        alt = self.every[number - 1]
        sizes = [whole(item) for item in self.info.get("SVLEN", "").split(",")]
        if len(sizes) == len(self.every):
            sizes = [sizes[number - 1]]
        known = [size for size in sizes if size is not None]
        takes = self.spans(number)
        if alt.isalpha():
            said = self.info.get("SVTYPE", "")
            takes = said in ("DEL", "DUP", "INV", "CNV") or len(alt) < len(self.ref)
            takes = takes or any(size < 0 for size in known)
        return [pos + abs(size) for size in known] if takes else []

    def _named(self) -> list[Span]:
        if "SVTYPE" not in self.info and not any(map(self.kind, self.kept)):
            return []
        found = []
        for value in self.info.values():
            for item in re.split(r"[,|&\s()]", value):
                match = re.fullmatch(r"(.+):(\d+)-(\d+)", item)
                if match:
                    low, high = sorted(map(int, match.groups()[1:]))
                    found += [(name, low, high) for name in self._names(match[1])]
        return found

    def _names(self, text: str) -> list[str]:
        words = text.split("_")
        while len(words) > 1 and words[0].upper() in _TYPES:
            words.pop(0)
        ends = ["_".join(words[count:]) for count in range(len(words))]
        if plain(ends[0]) in LENGTHS["GRCh38"]:
            return ends[:1]
        return ends[:1] + [end for end in ends[1:] if plain(end) in LENGTHS["GRCh38"]]

    def stated_end(self, pos: int, ref: str) -> int:
        """Return the last base that the notation states."""
        ends = [pos + len(ref) - 1]
        end = self.end()
        has_end = end is not None and end > self.pos
        for number in self.kept:
            kind = self.kind(number)
            if kind in ("", "bnd", "INS", "BND", "TRA", "CTX"):
                continue
            size = self.size(number) if self.spans(number) else None
            if size and (self.is_new or not has_end):
                ends.append(self.pos + abs(size))
            elif end is not None and has_end:
                ends.append(end)
        return min(max(ends), _MOST)

    def stated_type(self, ref: str, alts: Sequence[str]) -> str | None:
        """Return SVTYPE of the alleles in their shortest form."""
        said = self.info.get("SVTYPE")
        found: set[str | None] = set()
        for number, alt in zip(self.kept, alts, strict=True):
            kind = self.kind(number)
            if alt == "*":
                continue
            if kind == "bnd":
                found.add("BND")
            elif kind in ("DEL", "INS", "DUP", "INV", "CNV", "BND"):
                found.add(kind)
            elif kind in ("TRA", "CTX"):
                found.add(kind if said == kind else None)
            elif copies := re.fullmatch(r"CN(\d+)", kind):
                type_ = {"0": "DEL", "1": "CNV"}.get(copies[1], "DUP")
                found.add(type_ if said in ("CNV", type_) else None)
            elif not kind and self.size(number) is not None and len(alt) != len(ref):
                found.add("INS" if len(alt) > len(ref) else "DEL")
            else:
                found.add(None)
        return found.pop() if len(found) == 1 else None


def groups(rows: Mapping[int, tuple[Sequence[str], Statements]]) -> list[set[int]]:
    """Return which rows are mates, of those that somebody of the release carries."""
    found: list[set[int]] = [{number} for number in rows]

    def join(one: int, other: int) -> None:
        mine = next(group for group in found if one in group)
        others = next(group for group in found if other in group)
        if mine is not others:
            mine |= others
            found.remove(others)

    for one, (row, said) in rows.items():
        wanted = set()
        for key in ("MATEID", "PARID"):
            items = said.info.get(key, "").split(",")
            if len(items) == len(said.every):
                items = [items[number - 1] for number in said.kept]
            wanted |= set(items) - {"", "."}
        mine = {
            frozenset(((plain(row[0]), int(row[1])), (plain(contig), place)))
            for contig, place in said.other_ends()
        }
        for other, (another, theirs) in rows.items():
            if one == other:
                continue
            if another[2] != "." and wanted & set(another[2].split(";")):
                join(one, other)
            if any(
                frozenset(((plain(another[0]), int(another[1])), (plain(c), p))) in mine
                for c, p in theirs.other_ends()
            ):
                join(one, other)
    return [group for group in found if len(group) > 1]


def may_have_mates(row: Sequence[str]) -> bool:
    """Whether a row is of those that mates are looked for among."""
    info = entries_of(row)
    return bool(
        re.search(r"[\[\]]|<(BND|TRA|CTX)", row[4])
        or {"MATEID", "PARID"} & set(info)
        or info.get("SVTYPE") in ("BND", "TRA", "CTX")
    )
