"""Cut the blocks of a column store: most records by arrays, the others one by one.

What a record may become is decided by `genomics.subset`; here stands only what gives
the same text faster. A record goes by arrays when it is written as it stands once its
uncarried alleles are gone, and when nothing of it is kept back.
"""

import functools
import heapq
import itertools
import operator
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from genomics.columnar import codes, file
from genomics.columnar.codes import Codes
from genomics.columnar.file import Block, Directory
from genomics.job import SubsetJob
from genomics.lines import ENCODING
from genomics.native import choosing
from genomics.subset import Cut, Subsetter, counted, frequency

Rows = NDArray[np.intp]

# To begin a section takes as long as so many cells of one.
_SECTION = 600
_ROW = operator.itemgetter(0)
_GENOTYPE = "GT"
_KINDS = codes.IS_UNPHASED | codes.IS_MIXED
# By kind: text of a cell behind its tab, as a number; without the tab, as text.
_CELLS = {
    0: codes.PHASED_CELLS,
    codes.IS_UNPHASED: codes.UNPHASED_CELLS,
    codes.IS_MIXED: codes.PHASED_CELLS,
}
# By code: alleles that are the first ALT, and missing ones.
_ALTS = codes.COUNTS[:, 1].astype(np.uint8)
_MISSING = codes.MISSING_COUNTS.astype(np.uint8)


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
        pos, end = reader.records["pos"], reader.records["end"]
        is_requested, is_kept_back = self._subsetter.boundaries.scan(
            block.place.contig, pos - 1, end
        )
        is_fast = (reader.records["flags"] & file.IS_FAST) != 0
        # Trimming moves POS to the right, never past the last base.
        is_near = (pos < high) & (end >= low)
        is_by_arrays = is_fast & ~is_kept_back
        if self._only_one_by_one:
            is_by_arrays[:] = False
        # What begins before the window may be trimmed into it.
        is_by_arrays &= pos >= low
        rows = np.flatnonzero(is_by_arrays & is_requested & is_near)
        # What is fast but kept back reaches no further than REF, what is not fast may.
        left = np.flatnonzero(
            ~is_by_arrays & is_near & (is_requested | ~is_fast)
        ).tolist()
        wanted = [*rows[:1].tolist(), *rows[-1:].tolist(), *left[:1], *left[-1:]]
        if wanted:
            reader.narrow(min(wanted), max(wanted) + 1)
        found = self._cut_by_arrays(reader, rows) if len(rows) else iter(())
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

    def _cut_by_arrays(
        self, reader: "_Reader", rows: Rows
    ) -> Iterator[tuple[int, Cut | None]]:
        """Yield the rows with what is left, or None if that is not for arrays."""
        carried = _Carried(reader, rows)
        identifier, filter_ = self._subsetter.identifier, self._subsetter.filter
        contig, forms, sites = reader.contig, reader.forms, reader.sites
        noted = set[str]()
        for number, (row, pos, end, form_number, alts) in enumerate(carried.places()):
            form = forms[form_number]
            name, ref, alt, filters = sites[row].split("\t")
            renumbering = None
            if alts == 1:
                info = _info_of_one(*carried.single[number])
            else:
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
                f"{contig}\t{pos}\t{identifier(name)}\t{ref}\t{alt}\t.\t"
                f"{filter_(filters)}\t{info}\t{form}"
            )
            start = head.encode(ENCODING)
            if form == _GENOTYPE:
                genotypes = carried.genotypes(number, renumbering)
                text = b"".join((start, genotypes, b"\n"))
            else:
                text = reader.text(start, row)
            yield row, Cut(pos, ref, alt, text, end, 0)


class _Columns:
    """Where the included samples' columns lie among the groups of a block."""

    def __init__(self, places: Sequence[int], samples: int) -> None:
        self.places = places
        self.count = samples
        self.chosen = np.array(places, np.int64)
        # Number and width of each group that has any.
        self.groups = sorted({place // file.GROUP for place in places})
        self.widths = [
            min(file.GROUP, samples - group * file.GROUP) for group in self.groups
        ]
        self.are_most_groups = 2 * len(self.groups) > file.groups_of(samples)
        starts = dict(
            zip(self.groups, itertools.accumulate(self.widths, initial=0), strict=False)
        )
        # Of each sample, its column when these groups stand side by side.
        self.picked = np.array(
            [starts[place // file.GROUP] + place % file.GROUP for place in places],
            np.uint32,
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
        self._first, self._last = 0, len(self.records)

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
        return by_row < len(self._columns.places) * (len(self.records) + _SECTION)

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
        record = self.records[row]
        name, ref, alt, filters = self.sites[row].split("\t")
        quality, info = self._details[row].split("\t")
        form = self.forms[record["form"]]
        pos = str(record["pos"])
        return [self.contig, pos, name, ref, alt, quality, filters, info, form]

    def samples(self, row: int) -> Sequence[str]:
        """Return the included samples' columns as text, in the order of writing."""
        flags = int(self.records["flags"][row])
        if flags & file.HAS_TEXT:
            return str(self._cells(row)[1:-1], ENCODING).split("\t")
        found = _CELLS[flags & _KINDS].take(self.codes(np.array([row]))[0])
        text: str = found.tobytes()[1:].decode(ENCODING)
        return text.split("\t")

    def text(self, start: bytes, row: int) -> bytes:
        """Return the line that starts so and goes on with the included samples."""
        return b"".join((start, self._cells(row)))

    def codes(self, rows: Rows) -> Codes:
        """Return rows x included samples, in the order of writing."""
        return self._gathered(file.CODES, rows)

    def always_missing(self, rows: Rows) -> Codes | None:
        """Return, by row, bits of the values that no included sample has, if any."""
        groups = self._columns.groups
        if not all(self._block.of_group(file.MISSING, group) for group in groups):
            return None
        found: Codes = np.bitwise_and.reduce(self._gathered(file.MISSING, rows), axis=1)
        return found

    def _gathered(self, kind: int, rows: Rows) -> Codes:
        columns = self._columns
        if columns.are_most_groups:
            self._block.load_groups()
        tables = [self._block.of_group(kind, group) for group in columns.groups]
        return choosing.gather(tables, columns.widths, rows, columns.picked)

    def _cells(self, row: int) -> memoryview:
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
                min(file.ROWS, len(self.records) - chunk * file.ROWS),
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

    def __init__(self, reader: _Reader, rows: Rows) -> None:
        found = reader.codes(rows)
        kinds = reader.records["flags"][rows] & _KINDS
        alleles = found
        if (kinds & codes.IS_MIXED).any():
            alleles = found & np.uint8(codes.PAIR)
        carried = np.flatnonzero(alleles.max(axis=1) >= codes.FIRST_WITH_ALT)
        self._alleles = alleles[carried]
        self._codes = found[carried]
        self._kinds = kinds[carried]
        self._rows = rows[carried]
        self._records = reader.records[self._rows]
        self._missing = reader.always_missing(self._rows)
        self._width = codes.CELL_BYTES * found.shape[1]
        has_missing = bool((self._records["flags"] & codes.HAS_MISSING).any())
        self.single = _count_single(self._alleles, has_missing=has_missing)

    def places(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield row, POS, last base of REF, number of FORMAT and of ALT alleles."""
        names = ("pos", "end", "form", "alts")
        columns = (self._records[name].tolist() for name in names)
        return zip(self._rows.tolist(), *columns, strict=True)

    def lacks(self, number: int) -> bool:
        """Whether some value is missing for every included sample."""
        return self._missing is not None and bool(self._missing[number])

    def counted(self, number: int, alts: int) -> tuple[list[int], str]:
        """Return the numbers of the carried ALT alleles and the counts for INFO."""
        alleles = self._alleles[number]
        times = np.bincount(alleles, minlength=len(codes.PAIRS))
        counts = (times @ codes.COUNTS[: len(times)]).tolist()
        # Codes have single-digit alleles: nobody has one beyond these.
        kept = [n for n in range(1, min(alts, codes.MAX_ALLELE) + 1) if counts[n]]
        samples = len(alleles) - int(times[codes.BOTH_MISSING])
        info = counted([counts[n] for n in kept], sum(counts), samples)
        return kept, ";".join(info)

    def genotypes(self, number: int, renumbering: dict[int, int] | None) -> memoryview:
        """Return the genotypes of a row, each behind a tab."""
        if renumbering is None:
            start = number * self._width
            return self._text[start : start + self._width]
        found = codes.renumbered(renumbering).take(self._codes[number])
        cells: NDArray[np.uint32] = _CELLS[int(self._kinds[number])].take(found)
        return cells.view(np.uint8).data

    @functools.cached_property
    def _text(self) -> memoryview:
        cells = np.empty(self._codes.shape, np.uint32)
        for kind in np.unique(self._kinds).tolist():
            rows = np.flatnonzero(self._kinds == kind)
            if len(rows) == len(cells):
                # Codes are bytes and the table has 256 entries: nothing is clipped.
                _CELLS[kind].take(self._codes, out=cells, mode="clip")
            else:
                cells[rows] = _CELLS[kind].take(self._codes[rows])
        return cells.reshape(-1).view(np.uint8).data


def _count_single(alleles: Codes, *, has_missing: bool) -> list[tuple[int, int, int]]:
    """Return, by row, how many ALT alleles, called alleles and called samples it has.

    Right for rows with one ALT allele only.
    """
    included = alleles.shape[1]
    if has_missing:
        carriers = _ALTS.take(alleles).sum(axis=1, dtype=np.int64)
        called = 2 * included - _MISSING.take(alleles).sum(axis=1, dtype=np.int64)
        samples = included - np.count_nonzero(alleles == codes.BOTH_MISSING, axis=1)
        return list(
            zip(carriers.tolist(), called.tolist(), samples.tolist(), strict=True)
        )
    # Then 0 is the only code without the ALT.
    carriers = np.count_nonzero(alleles, axis=1)
    carriers += np.count_nonzero(alleles == codes.HOMOZYGOUS, axis=1)
    return [(count, 2 * included, included) for count in carriers.tolist()]


@functools.lru_cache(maxsize=100_000)
def _info_of_one(count: int, called: int, samples: int) -> str:
    # As `counted`, of which it is most of the work.
    return f"AC={count};AF={frequency(count, called)};AN={called};NS={samples}"
