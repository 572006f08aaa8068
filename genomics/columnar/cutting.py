"""Cut the blocks of a column store: most records by arrays, the others one by one.

What a record may become is decided by `genomics.subset`; here stands only what gives
the same text faster. A record goes by arrays when it is written as it stands once its
uncarried alleles are gone, and when nothing of it is kept back.
"""

import functools
import heapq
import itertools
import operator
from array import array
from collections.abc import Iterator, Sequence

from genomics import mates
from genomics.columnar import codes, file
from genomics.columnar.file import Block, Directory
from genomics.job import SubsetJob
from genomics.lines import ENCODING
from genomics.mates import Row
from genomics.native import choosing
from genomics.subset import Cut, Subsetter, counted, frequency

# To begin a section takes as long as so many cells of one.
_SECTION = 600
_ROW = operator.itemgetter(0)
_GENOTYPE = "GT"
# By flags, whether all genotypes are unphased.
_ARE_UNPHASED = bytes(flags & codes.IS_UNPHASED for flags in range(256))


class ColumnCutter:
    """Cuts blocks of one column store for one job."""

    def __init__(
        self, job: SubsetJob, directory: Directory, subsetter: Subsetter
    ) -> None:
        self._subsetter = subsetter
        self._columns = _Columns(subsetter.places, len(directory.samples))
        self._header_lines = directory.header_lines
        # The steward's own INFO is taken out of the text of each record.
        self._only_one_by_one = bool(job.info_keep)

    def cut(self, block: Block, low: int, high: int) -> Iterator[Cut]:
        """Yield, in no order, what is left of the records whose new POS is in a window.

        The window is [low, high), 1-based.
        """
        reader = _Reader(block, self._columns, self._header_lines)
        rows, left = self._ways(reader, low, high)
        wanted = [*rows[:1], *rows[-1:], *left[:1], *left[-1:]]
        if wanted:
            reader.narrow(min(wanted), max(wanted) + 1)
        found = self._cut_by_arrays(reader, rows) if rows else iter(())
        one_by_one = ((row, None) for row in left)
        # In the order of the block, so that no text is inflated twice.
        for row, cut in heapq.merge(found, one_by_one, key=_ROW) if left else found:
            if cut is not None:
                yield cut
                continue
            cut = self._subsetter.cut_fields(
                reader.fields(row), reader.samples(row), reader.line(row)
            )
            if cut is not None and low <= cut.pos < high:
                yield cut

    def survey(self, block: Block) -> Iterator[Row]:
        """Yield what mates must know of the block's records that may have some."""
        reader = _Reader(block, self._columns, self._header_lines)
        for row, flags in enumerate(reader.records.flags):
            if flags & file.IS_FAST:
                continue
            fields = reader.fields(row)
            if mates.may_have(fields[4], fields[7]):
                mate_row = self._subsetter.survey(
                    fields, reader.samples(row), reader.line(row)
                )
                if mate_row is not None:
                    yield mate_row

    def _ways(
        self, reader: "_Reader", low: int, high: int
    ) -> tuple[list[int], list[int]]:
        """Return the rows to cut by arrays, and those to cut one by one."""
        records = reader.records
        is_requested, is_kept_back = self._subsetter.boundaries.scan(
            reader.contig, records.pos, records.end
        )
        by_arrays, left = [], []
        places = zip(records.pos, records.end, records.flags, strict=True)
        answers = zip(is_requested, is_kept_back, strict=True)
        for row, ((pos, end, flags), (is_wanted, is_held)) in enumerate(
            zip(places, answers, strict=True)
        ):
            # Trimming moves POS to the right, never past the last base.
            if pos >= high or end < low:
                continue
            is_fast = flags & file.IS_FAST
            # What begins before the window may be trimmed into it.
            if is_fast and not is_held and pos >= low and not self._only_one_by_one:
                if is_wanted:
                    by_arrays.append(row)
            # What is fast but kept back reaches no further than REF, other may.
            elif is_wanted or not is_fast:
                left.append(row)
        return by_arrays, left

    def _cut_by_arrays(
        self, reader: "_Reader", rows: Sequence[int]
    ) -> Iterator[tuple[int, Cut | None]]:
        """Yield the rows with what is left, or None if that is not for arrays."""
        carried = _Carried(reader, rows)
        filter_ = self._subsetter.filter
        contig, forms, sites = reader.contig, reader.forms, reader.sites
        noted = set[str]()
        for number, (row, pos, end, form_number, alts, info) in enumerate(carried):
            form = forms[form_number]
            _, ref, alt, filters = sites[row].split("\t")
            renumbering = None
            if alts != 1:
                kept, info = carried.counted(number, alts)
                if len(kept) < alts:
                    if len(ref) > 1 or form != _GENOTYPE:
                        yield row, None
                        continue
                    every = alt.split(",")
                    alt = ",".join([every[n - 1] for n in kept])
                    renumbering = {0: 0} | {old: n for n, old in enumerate(kept, 1)}
            if form != _GENOTYPE and carried.lacks(number):
                yield row, None
                continue
            if form not in noted:
                noted.add(form)
                self._subsetter.usage.note(contig, form)
            head = (
                f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\t"
                f"{filter_(filters)}\t{info}\t{form}"
            )
            if form != _GENOTYPE:
                cells = reader.cells(row)
            elif renumbering is None:
                cells = carried.genotypes[number]
            else:
                cells = carried.renumbered(number, renumbering)
            yield row, Cut(pos, ref, alt, head.encode(ENCODING), cells, end, 0)


class _Columns:
    """Where the included samples' columns lie among the groups of a block."""

    def __init__(self, places: Sequence[int], samples: int) -> None:
        self.places = places
        self.count = samples
        self.chosen = array("q", places)
        # The groups that have any, and how many people each has.
        self.groups = sorted({place // file.GROUP for place in places})
        self.widths = array(
            "q",
            [min(file.GROUP, samples - group * file.GROUP) for group in self.groups],
        )
        self.are_most_groups = 2 * len(self.groups) > file.groups_of(samples)
        starts = dict(
            zip(self.groups, itertools.accumulate(self.widths, initial=0), strict=False)
        )
        # Of each sample, its column when these groups stand side by side.
        self.picked = array(
            "I", [starts[place // file.GROUP] + place % file.GROUP for place in places]
        )


class _Reader:
    """What a cut needs of one block, read when it is needed."""

    def __init__(self, block: Block, columns: _Columns, header_lines: int) -> None:
        self.contig = block.place.contig
        self.records = block.records()
        self._block = block
        self._columns = columns
        self._first_line = header_lines + block.place.first_record + 1
        self._chunk = -1
        self._chunk_rows: choosing.Rows
        self._tables: dict[int, choosing.Tables] = {}
        self._count = len(self.records.pos)
        self._first, self._last = 0, self._count

    def narrow(self, first: int, last: int) -> None:
        """Read the text of these rows alone, the last excluded."""
        self._first, self._last = first, last

    @functools.cached_property
    def _is_by_row(self) -> bool:
        """Whether text is picked from the rows of all sooner than from each sample's.

        Counted in cells to be inflated.
        """
        chunks = -(-self._last // file.ROWS) - self._first // file.ROWS
        by_row = chunks * file.ROWS * self._columns.count
        return by_row < len(self._columns.places) * (self._count + _SECTION)

    @functools.cached_property
    def forms(self) -> list[str]:
        return self._lines(file.FORMS)

    @functools.cached_property
    def sites(self) -> list[str]:
        return self._lines(file.SITES_TEXT)

    def line(self, row: int) -> int:
        """Return the line of the store that the record came from."""
        return self._first_line + row

    def fields(self, row: int) -> list[str]:
        """Return the columns up to FORMAT."""
        records = self.records
        name, ref, alt, filters = self.sites[row].split("\t")
        quality, info = self._details[row].split("\t")
        form = self.forms[records.form[row]]
        pos = str(records.pos[row])
        return [self.contig, pos, name, ref, alt, quality, filters, info, form]

    def samples(self, row: int) -> Sequence[str]:
        """Return the included samples' columns as text, in the order of writing."""
        flags = self.records.flags[row]
        if flags & file.HAS_TEXT:
            cells = self.cells(row)
        else:
            found = choosing.gather(self.tables(file.CODES), row)
            cells = _spelled(found, bytes([flags]))
        return str(cells[1:-1], ENCODING).split("\t")

    def tables(self, kind: int) -> choosing.Tables:
        """Return what the groups with included samples have of a kind."""
        found = self._tables.get(kind)
        if found is None:
            columns = self._columns
            if columns.are_most_groups:
                self._block.load_groups()
            texts = [self._block.of_group(kind, group) for group in columns.groups]
            found = choosing.Tables(texts, columns.widths, columns.picked)
            self._tables[kind] = found
        return found

    def always_missing(self, rows: Sequence[int]) -> bytearray | None:
        """Return, by row, bits of the values that no included sample has, if any."""
        tables = self.tables(file.MISSING)
        return choosing.find_common(tables, rows) if all(tables.texts) else None

    def cells(self, row: int) -> memoryview:
        """Return the text of the included samples, in the order of writing.

        There is a tab before each and a newline behind the last.
        """
        if not self._is_by_row:
            return self._rows[row - self._first]
        chunk, place = divmod(row, file.ROWS)
        if chunk != self._chunk:
            self._chunk = chunk
            self._chunk_rows = choosing.pick(
                self._block.of_all(chunk),
                min(file.ROWS, self._count - chunk * file.ROWS),
                self._columns.count,
                self._columns.chosen,
            )
        return self._chunk_rows[place]

    @functools.cached_property
    def _rows(self) -> choosing.Rows:
        texts = [self._block.of_sample(place) for place in self._columns.places]
        return choosing.lay(texts, self._first, self._last)

    @functools.cached_property
    def _details(self) -> list[str]:
        return self._lines(file.DETAILS)

    def _lines(self, section: int) -> list[str]:
        return self._block.section(section).decode(ENCODING).split("\n")


class _Carried:
    """The rows among some that an included sample carries, counted and as text."""

    def __init__(self, reader: _Reader, rows: Sequence[int]) -> None:
        records = reader.records
        flags = bytes([records.flags[row] for row in rows])
        found = choosing.find_carried(
            reader.tables(file.CODES), rows, flags, codes.ALLELES
        )
        self._records = records
        self._rows = [rows[place] for place in found.places]
        self._flags = bytes([flags[place] for place in found.places])
        self._codes, self._tallies = found.codes, found.tallies
        self._missing = reader.always_missing(self._rows)
        self._included = len(found.codes) // max(len(self._rows), 1)

    def __iter__(self) -> Iterator[tuple[int, int, int, int, int, str]]:
        """Yield row, POS, last base of REF, number of FORMAT, of ALT alleles, INFO.

        INFO is right for rows with one ALT allele only.
        """
        records, rows, last = self._records, self._rows, choosing.TALLIES - 1
        columns = (records.pos, records.end, records.form, records.alts)
        counts = (self._tallies[n :: choosing.TALLIES] for n in (0, last - 1, last))
        return zip(
            rows,
            *(map(column.__getitem__, rows) for column in columns),
            map(_info_of_one, *counts),
            strict=True,
        )

    def lacks(self, number: int) -> bool:
        """Whether some value is missing for every included sample."""
        return self._missing is not None and bool(self._missing[number])

    def counted(self, number: int, alts: int) -> tuple[list[int], str]:
        """Return the numbers of the carried ALT alleles and the counts for INFO."""
        start = number * choosing.TALLIES
        *counts, called, samples = self._tallies[start : start + choosing.TALLIES]
        # Codes have single-digit alleles: nobody has one beyond these.
        kept = [n for n, count in enumerate(counts[:alts], 1) if count]
        info = counted([counts[n - 1] for n in kept], called, samples)
        return kept, ";".join(info)

    def renumbered(self, number: int, numbers: dict[int, int]) -> memoryview:
        """Return the genotypes of a row whose alleles get other numbers."""
        found = self._codes[number * self._included : (number + 1) * self._included]
        found = found.translate(codes.renumbered(numbers))
        return _spelled(found, self._flags[number : number + 1])

    @functools.cached_property
    def genotypes(self) -> list[memoryview]:
        """Those of each row, tabs before them, a newline behind."""
        text = _spelled(self._codes, self._flags)
        size = self._included * choosing.CELL_BYTES + 1
        return [text[start : start + size] for start in range(0, len(text), size)]


def _spelled(found: bytearray, flags: bytes) -> memoryview:
    """Return rows of codes as text, as `_Reader.cells` does."""
    return choosing.spell(
        found, flags.translate(_ARE_UNPHASED), codes.PHASED_CELLS, codes.UNPHASED_CELLS
    )


@functools.lru_cache(maxsize=100_000)
def _info_of_one(count: int, called: int, samples: int) -> str:
    # As `counted`, of which it is most of the work.
    return f"AC={count};AF={frequency(count, called)};AN={called};NS={samples}"
