"""The samples' columns of a block: as codes, and as text where codes do not say all."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomics import carriage, probabilities
from genomics.columnar import codes, encoding, file
from genomics.errors import BuildFailed
from genomics.fields import CONVERTED_FORMAT, FORMAT
from genomics.genotypes import count_of, picks

_GENOTYPE = "GT"
_TAB = ord("\t")
_SETS = ("PS", "PSL")
_DIPLOID = 2
_MAX_KEYS = 8  # GT among them: as many as a byte has bits
_ORDER = {name: number for number, name in enumerate(FORMAT)}
# One entry of a value that stays as it is, by type; possessive, so that a long row is
# never tried twice.
_ITEMS = {
    "Integer": rb"-?[0-9]++",
    "Float": rb"[-+]?[0-9]++(?:\.[0-9]*+)?+(?:[eE][-+]?[0-9]++)?+",
    "String": rb"[^,:\t]++",
}
# A genotype without a called allele: other values say what is carried.
_NO_CALL = re.compile(rb"(?:^|\t)\.[/|]\.")
_MISSING_VALUE = re.compile(rb":\.(?=[:\t]|$)")


@dataclass(frozen=True, slots=True)
class Row:
    """FORMAT, the number of ALT alleles and the samples' columns of one record."""

    form: str
    alts: int
    cells: bytes


class Table:
    """The cells of the records of one block; `flags` and `forms` say how they lie.

    A row with `IS_FAST` has diploid genotypes of single-digit alleles in every cell,
    and values that stay as they are while all alleles stay; its FORMAT holds nothing
    but what a release may, in the order of releases. A row that names a phase set has
    none: names are the source's. `names_sets` when some row does.
    """

    def __init__(self, rows: Sequence[Row], samples: int) -> None:
        self.flags = np.zeros(len(rows), np.uint8)
        self.forms = [row.form for row in rows]
        self.names_sets = False
        self._samples = samples
        self._codes = np.zeros((len(rows), samples), np.uint8)
        self._missing = np.zeros((len(rows), samples), np.uint8)
        self._text = [b""] * len(rows)
        width = codes.CELL_BYTES * samples - 1
        bare = [
            number
            for number, row in enumerate(rows)
            if row.form == _GENOTYPE and len(row.cells) == width
        ]
        unsound = self._take_bare(bare, [rows[number].cells for number in bare])
        done = set(bare) - set(unsound)
        for number, row in enumerate(rows):
            if number not in done:
                self._take_text(number, row)

    def groups(self) -> list[tuple[bytes, bytes]]:
        """Return codes and missing values of each group of samples."""
        found = []
        for start in range(0, self._samples, file.GROUP):
            end = start + file.GROUP
            missing = self._missing[:, start:end]
            found.append(
                (
                    self._codes[:, start:end].tobytes(),
                    missing.tobytes() if missing.any() else b"",
                )
            )
        return found

    def texts(self) -> list[bytes]:
        """Return the text of each sample, a line for each record; none for no text.

        Behind them comes the text of all samples, of some records at a time.
        """
        if not any(self._text):
            return []
        nothing = [b""] * self._samples
        rows = [cells.split(b"\t") if cells else nothing for cells in self._text]
        columns = [b"\n".join(column) for column in zip(*rows, strict=True)]
        starts = range(0, len(rows), file.ROWS)
        return columns + [
            b"\n".join(self._text[start : start + file.ROWS]) for start in starts
        ]

    def _take_bare(self, numbers: list[int], cells: list[bytes]) -> list[int]:
        """Take rows that may be nothing but genotypes; return those that are not."""
        if not numbers:
            return []
        found = encoding.encode_rows(cells)
        sound = found.sound
        places = np.array(numbers)
        self._codes[places[sound]] = found.codes[sound]
        self.flags[places[sound]] = found.flags[sound] | np.uint8(file.IS_FAST)
        left: list[int] = places[~sound].tolist()
        return left

    def _take_text(self, number: int, row: Row) -> None:
        form, cells = row.form, row.cells
        keys = form.split(":")
        is_local = any(FORMAT[key].number[0] == "L" for key in keys if key in FORMAT)
        is_local |= not set(CONVERTED_FORMAT).isdisjoint(keys)
        is_named = any(_names_sets(cells, keys.index(k)) for k in _SETS if k in keys)
        self.names_sets |= is_named
        if keys[0] == _GENOTYPE and not is_local and not is_named:
            ordered = sorted(
                (key for key in keys if key in _ORDER and key not in _SETS),
                key=_ORDER.__getitem__,
            )
            if ordered != keys:
                form = ":".join(ordered)
                cells = _picked(cells, [keys.index(key) for key in ordered])
            pattern = _row_pattern(form, row.alts)
            if pattern and pattern.fullmatch(cells) and _is_settled(form, cells):
                self._take_fast(number, form, cells)
                return
        # As it came: the cut takes it apart itself.
        if row.cells.count(b"\t") != self._samples - 1:
            raise BuildFailed("columns", f"expected {self._samples} sample columns")
        self._text[number] = row.cells
        self.flags[number] |= file.HAS_TEXT

    def _take_fast(self, number: int, form: str, cells: bytes) -> None:
        starts = _starts(cells, self._samples)
        text = np.frombuffer(cells, np.uint8)
        genotypes = np.full((1, self._samples, codes.CELL_BYTES), _TAB, np.uint8)
        for place in range(codes.CELL_BYTES - 1):
            genotypes[0, :, place] = text[starts + place]
        found = encoding.encode(genotypes)
        assert found.sound.all(), "the pattern admits genotypes only"
        self._codes[number] = found.codes[0]
        self._text[number] = cells
        self.forms[number] = form
        self.flags[number] |= found.flags[0] | np.uint8(file.HAS_TEXT | file.IS_FAST)
        for match in _MISSING_VALUE.finditer(cells):
            sample = int(np.searchsorted(starts, match.start(), "right")) - 1
            key = cells.count(b":", int(starts[sample]), match.start()) + 1
            self._missing[number, sample] |= 1 << key


def _is_settled(form: str, cells: bytes) -> bool:
    """Whether GT says all that is carried, and probabilities stay as they are."""
    keys = form.split(":")
    if not set(carriage.KEYS).isdisjoint(keys) and _NO_CALL.search(cells):
        return False
    if "GP" not in keys:
        return True
    place = keys.index("GP")
    values = {cell.split(b":")[place] for cell in cells.split(b"\t")}
    return all(map(probabilities.stays, values))


def _starts(cells: bytes, samples: int) -> NDArray[np.intp]:
    """Return where each cell begins."""
    tabs = np.flatnonzero(np.frombuffer(cells, np.uint8) == _TAB)
    if len(tabs) != samples - 1:
        raise BuildFailed("columns", f"expected {samples} sample columns")
    return np.concatenate(([0], tabs + 1))


def _names_sets(cells: bytes, place: int) -> bool:
    """Whether some cell has the name of a set in this place, as `phase_sets` reads."""
    values = (cell.split(b":")[place:] for cell in cells.split(b"\t"))
    return any(value[0].strip(b".,") for value in values if value)


def _picked(cells: bytes, places: list[int]) -> bytes:
    """Return the cells with only the values in these places, in this order."""
    picked = []
    for cell in cells.split(b"\t"):
        values = cell.split(b":")
        values += [b"."] * (max(places) + 1 - len(values))
        picked.append(b":".join([values[place] for place in places]))
    return b"\t".join(picked)


@functools.lru_cache(maxsize=1024)
def _row_pattern(form: str, alts: int) -> re.Pattern[bytes] | None:
    """Return what rows look like that a cut may copy; None when none may be."""
    keys = form.split(":")
    if len(keys) > _MAX_KEYS:
        return None
    cell = rb"[0-9.][/|][0-9.]"
    for key in keys[1:]:
        count = _entries(key, alts)
        if count < 1:
            return None
        item = _ITEMS[FORMAT[key].type]
        cell += rb":(?:\.(?=[:\t]|$)|%b(?:,%b){%d})" % (item, item, count - 1)
    return re.compile(rb"%b(?:\t%b)*+" % (cell, cell))


def _entries(key: str, alts: int) -> int:
    number = count_of(FORMAT[key])
    if number.isdigit():
        return int(number)
    if number == ".":
        return 0
    count, _ = picks(number, alts, tuple(range(1, alts + 1)), _DIPLOID)
    return count
