"""INFO of a store that an erasure writes: alleles, and how far they reach.

Releases are cut from it later, so statements of the remaining alleles stay as in the
source; nothing is converted to what a release states. Ids of an upload are removed:
numbers stand for the ids of mates, and the bare places for values of the form
`contig:start-end`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from genomics.alleles import COPIES, JOINS, Kind, kind_of, mate_of, symbolic_type
from genomics.describing import Describer, sv_type
from genomics.extent import INTERVALS, LOCI_KEY, OTHER_END, Site, SourceSite
from genomics.fields import FieldDefinition
from genomics.genotypes import MISSING
from genomics.header import Usage
from genomics.mates import LINK_KEY, Row, links

_KINDS = {"CHR2": "String", LOCI_KEY: "String"}
# Beside those of every release.
DEFINITIONS = tuple(
    FieldDefinition(
        id=key,
        number=".",
        type=_KINDS.get(key, "Integer"),
        description="How far the record reaches, or what belongs to it",
    )
    for key in (*INTERVALS, *OTHER_END, LOCI_KEY, LINK_KEY)
)


class StoreDescriber(Describer):
    """Writes the INFO entries of a store.

    `pairs` are, by line, the numbers of the pairs of mates that a record belongs to.
    """

    def __init__(
        self,
        definitions: dict[str, FieldDefinition],
        usage: Usage,
        pairs: Mapping[int, Sequence[int]],
    ) -> None:
        super().__init__(definitions, usage)
        self._pairs = pairs

    def value(
        self,
        definition: FieldDefinition,
        source: SourceSite,
        site: Site,
        kept: Sequence[int],
    ) -> str | None:
        match definition.id:
            case "END" if _says_more(source.end(kept), source, site):
                return source.info["END"]
            case "END" if "CHR2" in source.info:
                # Never what SVLEN says: CHR2 without END stands for a whole contig.
                is_here = source.end(kept) in (source.pos, source.pos + 1)
                return str(site.pos) if is_here else None
            case "SVLEN":
                return _lengths(source, kept)
            case "SVTYPE":
                return _sv_type(source, site, kept)
            case field_id if field_id in OTHER_END:
                return source.info.get(field_id)
            case field_id if field_id == LOCI_KEY:
                places = source.named_loci(kept)
                return (
                    ",".join(
                        f"{contig}:{start_0 + 1}-{end}"
                        for contig, start_0, end in places
                    )
                    or None
                )
            case field_id if field_id == LINK_KEY:
                return ",".join(map(str, self._pairs.get(source.line, ()))) or None
        return super().value(definition, source, site, kept)


def pair_numbers(rows: Iterable[Row]) -> Mapping[int, Sequence[int]]:
    """Return, by line, the numbers of the pairs of mates that a record belongs to."""
    numbers = defaultdict(list)
    for number, lines in enumerate(links(rows), start=1):
        for line in lines:
            numbers[line].append(number)
    return numbers


def _says_more(end: int | None, source: SourceSite, site: Site) -> bool:
    """Whether END says what REF does not: it may lie on the contig of a mate."""
    if end is None:
        return False
    has_mate = any(map(mate_of, site.alts)) or "CHR2" in source.info
    return end > site.pos + len(site.ref) - 1 or (has_mate and end < source.pos)


def _lengths(source: SourceSite, kept: Sequence[int]) -> str | None:
    lengths = source.info.get("SVLEN", "").split(",")
    if source.is_end_of_others(kept) and (end := source.end(kept)) is not None:
        # Later it would be unknown to which allele END belongs.
        return ",".join(
            str(end - source.pos) if source.needs_end(number) else lengths[number - 1]
            for number in kept
        )
    if len(lengths) == len(source.alts):
        own = [lengths[number - 1] for number in kept]
        return ",".join(own) if set(own) - {"", MISSING} else None
    longest = max(source.sizes(kept[0]), key=abs, default=None)
    if longest is None:
        return None
    has_length = any(source.length(number) is not None for number in kept)
    if len(lengths) == 1 and (has_length or len(kept) > 1):
        return lengths[0]
    # Nobody's lengths: any of them may be any allele's. So there is one too many.
    return ",".join([str(longest)] * (len(kept) + 1))


def _sv_type(source: SourceSite, site: Site, kept: Sequence[int]) -> str | None:
    if any(kind_of(alt) not in (Kind.SEQUENCE, Kind.STAR) for alt in site.alts):
        types = {symbolic_type(alt) for alt in site.alts}
        # These are told by what the source says of them, whoever stays with them.
        needs_source = any(
            each in JOINS or COPIES.fullmatch(each) for each in types if each
        )
        stated = source.info.get("SVTYPE") if needs_source else None
        return sv_type(source, site, kept) or stated
    # Of bases alone it may say how far they reach.
    has_length = any(source.length(number) is not None for number in kept)
    if has_length or source.sv_type in JOINS:
        return source.info.get("SVTYPE")
    return None
