"""Make the column store of a call set, record by record, in the order of the store.

What a record looks like when everybody is kept is worked out here once, so that a cut
in which all its alleles stay has nothing left to do but to choose columns. A record
for which that is not so simple is kept as it came.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from genomics import extent, mates
from genomics.alleles import Kind, kind_of, shortest_form
from genomics.columnar import file
from genomics.columnar.cells import Row, Table
from genomics.columnar.file import BlockPlace
from genomics.errors import BuildFailed
from genomics.fields import INFO, RECOUNTED_INFO
from genomics.genotypes import MISSING
from genomics.intervals import MEGABASE
from genomics.lines import ENCODING, FIXED_COLUMNS, contig_of, version_of

# INFO that says what an allele is, how far it reaches, or what belongs to it.
_KEYS = "|".join(
    [*(key for key in INFO if key not in RECOUNTED_INFO), *extent.KEYS, *mates.KEYS]
)
_DESCRIBING = re.compile(rf"(?:^|;)(?:{_KEYS})(?:[=;]|$)")

_MOST = 1 << 31  # as `file.RECORD` has positions


@dataclass(slots=True)
class _Draft:
    """A block in the making; an item for each record."""

    contig: str
    first_record: int
    room: int
    places: list[tuple[int, int, int, bool]] = field(default_factory=list)
    has_mates: bool = False
    sites: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


class ColumnWriter:
    """Takes the records of a store and writes their blocks."""

    def __init__(self, out: file.Writer) -> None:
        self._out = out
        self._draft: _Draft | None = None
        self._count = 0
        self._megabases: Counter[tuple[str, int]] = Counter()

    def add(self, line: bytes) -> None:
        """Take a record, without its line end."""
        *fixed, cells = line.split(b"\t", FIXED_COLUMNS)
        contig, pos, name, ref, alt, qual, filters, info, form = [
            part.decode(ENCODING) for part in fixed
        ]
        draft = self._draft
        if draft is None or draft.contig != contig or len(draft.rows) == draft.room:
            self._flush()
            room = file.SITES if ":" in form else file.GENOTYPE_SITES
            draft = self._draft = _Draft(contig, self._count, room)
        alts = () if alt == MISSING else tuple(alt.split(","))
        place = int(pos)
        if place + len(ref) > _MOST:
            raise BuildFailed("position", "expected positions below 2^31")
        is_plain = not _DESCRIBING.search(info) and _is_plain(place, ref, alts)
        draft.has_mates |= not is_plain and mates.may_have(alt, info)
        draft.places.append((place, place + len(ref) - 1, len(alts), is_plain))
        draft.sites.append(f"{name}\t{ref}\t{alt}\t{filters}\n")
        draft.details.append(f"{qual}\t{info}\n")
        draft.rows.append(Row(form, len(alts), cells))
        self._count += 1

    def megabases(self) -> tuple[tuple[str, int, int], ...]:
        """Return how many records begin in each megabase, in the order of the store.

        As (contig, megabase, records): POS (1-based) p lies in megabase p // 1,000,000.
        """
        return tuple(
            (contig, megabase, records)
            for (contig, megabase), records in self._megabases.items()
        )

    def finish(self, header: bytes) -> str:
        """Write what is left and the directory; return the directory's SHA-256 (hex).

        `header` is the store's.
        """
        self._flush()
        lines = header.decode(ENCODING).removesuffix("\n").split("\n")
        return self._out.finish(
            vcf_version=version_of(lines),
            header_lines=len(lines),
            samples=lines[-1].split("\t")[FIXED_COLUMNS:],
            contig_lengths=dict(
                contig for line in lines if (contig := contig_of(line))
            ),
        )

    def _flush(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            return
        table = Table(draft.rows, draft.rows[0].cells.count(b"\t") + 1)
        forms = {form: number for number, form in enumerate(dict.fromkeys(table.forms))}
        pos, end, _, is_plain = zip(*draft.places, strict=True)
        for megabase, records_there in Counter(p // MEGABASE for p in pos).items():
            self._megabases[draft.contig, megabase] += records_there
        records = b"".join(
            file.RECORD.pack(
                place,
                last,
                forms[form],
                min(count, 255),
                flags if is_plain_one else flags & ~file.IS_FAST,
            )
            for (place, last, count, is_plain_one), form, flags in zip(
                draft.places, table.forms, table.flags.tolist(), strict=True
            )
        )
        shared = [
            records,
            "\n".join(forms).encode(ENCODING),
            "".join(draft.sites).encode(ENCODING),
            "".join(draft.details).encode(ENCODING),
        ]
        place = BlockPlace(
            contig=draft.contig,
            first_pos=min(pos),
            last_pos=max(pos),
            last_end=max(end),
            records=len(draft.rows),
            first_record=draft.first_record,
            reaches_far=not all(is_plain),
            has_mates=draft.has_mates,
            names_sets=table.names_sets,
        )
        self._out.write(
            place, *file.encode_block(shared, table.groups(), table.texts())
        )


def _is_plain(pos: int, ref: str, alts: tuple[str, ...]) -> bool:
    """Whether the record, all alleles kept, is written as it stands."""
    if any(kind_of(alt) not in (Kind.SEQUENCE, Kind.STAR) for alt in alts):
        return False
    if len(ref) == 1:
        return True
    return shortest_form(pos, ref, alts) == (pos, ref, alts)
