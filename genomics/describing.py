"""What a release says in INFO of the alleles that it holds.

Values are those that VCF 4.3 defines. A release with local alleles is VCF 4.5; there
the same text means the same, by that version's rules for older files: a negative SVLEN
is a length, and END counts where SVLEN is missing. Where the statements of a source
differ, the version decides: END before VCF 4.4, SVLEN from VCF 4.4 on; a length that
differs is corrected, or left out where it is unknown to which allele END belongs.

Source: VCF 4.3 and 4.5, section 3. How far alleles reach is left to `genomics.extent`.
"""

from collections.abc import Iterator, Sequence

from genomics.alleles import (
    COPIES,
    JOINS,
    Kind,
    is_point,
    is_spanning,
    kind_of,
    symbolic_type,
)
from genomics.extent import INTERVALS, MAX_END, Site, SourceSite
from genomics.fields import RECOUNTED_INFO, FieldDefinition
from genomics.genotypes import MISSING, Shortener
from genomics.header import Usage

# The types of VCF 4.3, section 3; no other is made of an allele's name.
TYPES = ("DEL", "INS", "DUP", "INV", "CNV", "BND")
# From this version on SVLEN is a length, not a difference, and decides over END.
LENGTHS_SINCE = (4, 4)


class Describer:
    """Writes the INFO entries of one release that describe alleles."""

    def __init__(self, definitions: dict[str, FieldDefinition], usage: Usage) -> None:
        self._definitions = definitions
        self._usage = usage

    def entries(
        self, source: SourceSite, site: Site, kept: Sequence[int]
    ) -> Iterator[str]:
        """Yield the entries for the kept alleles of a record, as `site` has them."""
        for field_id, definition in self._definitions.items():
            if field_id in RECOUNTED_INFO:
                continue
            value = self.value(definition, source, site, kept)
            if value is None or value == MISSING:
                continue
            self._usage.infos.add(field_id)
            yield f"{field_id}={value}" if value else field_id

    def value(
        self,
        definition: FieldDefinition,
        source: SourceSite,
        site: Site,
        kept: Sequence[int],
    ) -> str | None:
        """Return the value of a field, "" for a flag, None where it has none."""
        match definition.id:
            case "END":
                return _end(source, site, kept)
            case "SVTYPE":
                return sv_type(source, site, kept)
            case "SVLEN":
                return _lengths(source, site, kept)
            case field_id if field_id not in source.info:
                return None
            case field_id if field_id in INTERVALS:
                return ",".join(source.pairs(field_id, kept))
        if definition.type == "Flag":
            return ""
        shortener = Shortener(definition, len(source.alts), tuple(kept), None)
        value = shortener[source.info[definition.id]]
        if shortener.has_fraction:
            self._usage.fractions.add(definition.id)
        return value


def sv_type(source: SourceSite, site: Site, kept: Sequence[int]) -> str | None:
    """Return SVTYPE of these alleles, None where they have none or differ.

    SVTYPE of a source counts for all its alleles, one of which may be gone, so the kept
    alleles decide. Bases alone make a structural variant only where the source gives
    them a length.
    """
    types = {
        _type_of(source, number, site.ref, alt)
        for number, alt in zip(kept, site.alts, strict=True)
        if alt != "*"
    }
    return types.pop() if len(types) == 1 else None


def has_contradiction(source: SourceSite) -> bool:
    """Whether END and SVLEN of a record state different ends, all alleles kept."""
    kept = range(1, len(source.alts) + 1)
    end = source.end(kept)
    return end is not None and not all(_fits(source, kept, n, end) for n in kept)


def stated_end(source: SourceSite, site: Site, kept: Sequence[int]) -> int:
    """Return the last base (1-based) that the notation of the alleles states."""
    end = source.end(kept)
    ends = (_end_of(source, number, end) for number in kept)
    return min(max(site.pos + len(site.ref) - 1, *ends), MAX_END)


def _end_of(source: SourceSite, number: int, end: int | None) -> int:
    type_ = symbolic_type(source.alts[number - 1])
    if type_ is None or is_point(type_):
        return 0
    size = source.length(number) if is_spanning(type_) else None
    has_end = end is not None and end > source.pos
    if size and not (has_end and source.version < LENGTHS_SINCE):
        return source.pos + abs(size)
    return end if end is not None and has_end else 0


def _end(source: SourceSite, site: Site, kept: Sequence[int]) -> str | None:
    if not any(map(symbolic_type, site.alts)):
        return None
    # Only if it lies behind REF: otherwise END would disclose that the source has one,
    # which may be due to an allele that is gone.
    end = stated_end(source, site, kept)
    return str(end) if end > site.pos + len(site.ref) - 1 else None


def _lengths(source: SourceSite, site: Site, kept: Sequence[int]) -> str | None:
    if "SVLEN" not in source.info:
        return None
    end = source.end(kept)
    values = [
        _length_of(source, kept, number, site.ref, alt, end)
        for number, alt in zip(kept, site.alts, strict=True)
    ]
    return None if set(values) == {MISSING} else ",".join(values)


def _length_of(
    source: SourceSite,
    kept: Sequence[int],
    number: int,
    ref: str,
    alt: str,
    end: int | None,
) -> str:
    """Return SVLEN of an allele: in VCF 4.3 how much longer it is than REF."""
    size = source.length(number)
    if size is None:
        return MISSING
    if kind_of(alt) is Kind.SEQUENCE:
        return str(len(alt) - len(ref))
    type_ = symbolic_type(alt)
    if type_ is None or type_ in ("INV", "CNV", *JOINS):
        return MISSING  # as long as REF, or of no length of its own
    is_old = source.version < LENGTHS_SINCE
    if is_old and end is not None and not _fits(source, kept, number, end):
        others = (source.alts[n - 1] for n in kept if n != number)
        if any(map(symbolic_type, others)):
            return MISSING  # END may belong to another of them
        size = (end - source.pos) * (-1 if size < 0 else 1)
    if size == 0:
        return MISSING
    if type_ in ("DEL", "CN0"):
        return str(-abs(size))
    if type_ == "INS" and size < 0:
        return MISSING  # an unknown length, as callers write it
    if type_ in ("DUP", "INS"):
        return str(abs(size))
    # Of other types SVLEN is copied only from versions in which it is a difference.
    return str(size) if is_old else MISSING


def _fits(source: SourceSite, kept: Sequence[int], number: int, end: int) -> bool:
    """Whether SVLEN of an allele agrees with END, as the longest of the kept has it."""
    size = source.length(number)
    type_ = symbolic_type(source.alts[number - 1])
    if size is None or not is_spanning(type_) or end <= source.pos:
        return True
    # The difference in length of these is not how many bases they take up.
    if size == 0 and type_ in ("INV", "CNV") and source.version < LENGTHS_SINCE:
        return True
    if source.pos + abs(size) >= end:
        return source.pos + abs(size) == end
    return any(_ends_at(source, other, end) for other in kept if other != number)


def _ends_at(source: SourceSite, number: int, end: int) -> bool:
    type_ = symbolic_type(source.alts[number - 1])
    if type_ is None or is_point(type_):
        return False
    size = source.length(number)
    return size is None or source.pos + abs(size) == end


def _type_of(source: SourceSite, number: int, ref: str, alt: str) -> str | None:
    match kind_of(alt):
        case Kind.JOINED_LEFT | Kind.JOINED_RIGHT:
            return "BND"
        case Kind.SEQUENCE:
            if source.length(number) is None or len(alt) == len(ref):
                return None
            return "DEL" if len(alt) < len(ref) else "INS"
    type_ = symbolic_type(alt)
    if type_ in TYPES:
        return type_
    if type_ is not None and (copies := COPIES.fullmatch(type_)):
        # A number of copies is no type: it only narrows what the source says.
        narrow = {"0": "DEL", "1": "CNV"}.get(copies[1], "DUP")
        return narrow if source.sv_type in ("CNV", narrow) else None
    return type_ if type_ in JOINS and source.sv_type == type_ else None
