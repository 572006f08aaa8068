"""The sample map as text: read it strictly, compare it, write it.

A CSV of two columns, `sample,donor`: the name of a column of the dataset's files and
the id of the donor it was taken from. Every sample of the files has one row; a row
with an empty donor says on purpose that the sample is nobody's, and it is never
released. What is stored, and who may do so, is left to `services`.

    sample,donor
    NA00001,3f0c1f6e-6a1b-4f0e-9d35-0c3b2c2b8f11
    NA12878,
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from gemmule.catalog.errors import Problem, SampleMapInvalid

HEADER = ["sample", "donor"]
MAX_BYTES = 32 << 20
_MAX_NAME_LENGTH = 255
# A spreadsheet runs a cell that begins with one of these as a formula; such names
# are written with a quote before them, which reading takes off again.
_FORMULA_SIGNS = "=+-@\t\r'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the map; `donor_id` is None for a sample that is nobody's."""

    line: int
    sample: str
    donor_id: UUID | None


def read(data: bytes) -> list[Row]:
    """Return the rows of a sample map; raises SampleMapInvalid with every bad line."""
    rows: list[Row] = []
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    try:
        _check_header(next(reader, []))
        for cells in reader:
            if not cells:
                continue
            row = _row(cells, reader.line_num)
            if isinstance(row, Problem):
                problems.append(row)
            else:
                rows.append(row)
    except csv.Error as error:
        raise SampleMapInvalid(
            [
                Problem(
                    code="not-csv",
                    message=f"expected CSV: {error}",
                    line=reader.line_num,
                )
            ]
        ) from error
    if problems:
        raise SampleMapInvalid(problems)
    return rows


def compare(
    rows: Iterable[Row], samples: Iterable[str], known_donors: frozenset[UUID]
) -> list[Problem]:
    """Return every mismatch of the map with the files and the donors.

    First samples of the files without a row, then rows of samples that no file
    holds, then unknown donors, then samples and donors that stand twice.
    """
    rows = list(rows)
    in_files = dict.fromkeys(samples)
    in_map = {row.sample for row in rows}
    missing = [
        Problem(
            code="sample-without-row",
            message="this sample of the files has no row in the map",
            subject=name,
        )
        for name in in_files
        if name not in in_map
    ]
    strange = [
        _problem(row, "sample-not-in-files", 1, "no file of the dataset holds this")
        for row in rows
        if row.sample not in in_files
    ]
    unknown = [
        _problem(row, "donor-unknown", 2, "no donor has this id")
        for row in rows
        if row.donor_id is not None and row.donor_id not in known_donors
    ]
    return [*missing, *strange, *unknown, *_repeats(rows)]


def digest(pairs: Mapping[str, UUID | None]) -> str:
    """Return the SHA-256, in hex, of the map whatever the order of its rows."""
    lines = [f"{name},{donor or ''}\n" for name, donor in sorted(pairs.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write(pairs: Iterable[tuple[str, UUID | None]]) -> str:
    """Return a sample map as CSV in which no cell is a formula; `read` undoes it."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(HEADER)
    for name, donor in pairs:
        is_formula = name[:1] in tuple(_FORMULA_SIGNS)
        writer.writerow([f"'{name}" if is_formula else name, donor or ""])
    return target.getvalue()


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _refusal(f"expected at most {MAX_BYTES:,} bytes, got {len(data):,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(
            "expected text in UTF-8; save the sheet as 'CSV UTF-8'", line
        ) from error
    if "\0" in text:
        raise _refusal(
            "expected text, got a zero byte", text.count("\n", 0, text.index("\0")) + 1
        )
    return text


def _check_header(cells: list[str]) -> None:
    if [cell.strip().lower() for cell in cells] == HEADER:
        return
    if len(cells) == 1 and ";" in cells[0]:
        raise _refusal("expected columns parted by commas, got semicolons", 1)
    raise _refusal("expected the header line sample,donor", 1)


def _row(cells: list[str], line: int) -> Row | Problem:
    if len(cells) != len(HEADER):
        return Problem(
            code="columns",
            message=f"expected {len(HEADER)} columns, got {len(cells)}",
            line=line,
            column=min(len(cells), len(HEADER)) + 1,
        )
    name, donor = cells[0], cells[1].strip()
    if name[:1] == "'" and name[1:2] in tuple(_FORMULA_SIGNS):
        name = name[1:]
    if not name or len(name) > _MAX_NAME_LENGTH:
        return Problem(
            code="sample-name",
            message=f"expected a sample name of 1 to {_MAX_NAME_LENGTH} characters",
            line=line,
            column=1,
        )
    if not donor:
        return Row(line=line, sample=name, donor_id=None)
    try:
        donor_id = UUID(donor)
    except ValueError:
        return Problem(
            code="donor-id",
            message="expected the id of a donor, 36 characters such as "
            "3f0c1f6e-6a1b-4f0e-9d35-0c3b2c2b8f11",
            line=line,
            column=2,
        )
    return Row(line=line, sample=name, donor_id=donor_id)


def _repeats(rows: list[Row]) -> list[Problem]:
    problems: list[Problem] = []
    sample_lines: dict[str, int] = {}
    donor_lines: dict[UUID, int] = {}
    for row in rows:
        if first := sample_lines.get(row.sample):
            problems.append(
                _problem(
                    row, "sample-twice", 1, f"this sample stands in line {first} too"
                )
            )
        elif row.donor_id is not None and (first := donor_lines.get(row.donor_id)):
            problems.append(
                _problem(
                    row,
                    "donor-twice",
                    2,
                    f"this donor stands in line {first} too; "
                    "a donor has one sample in a dataset",
                )
            )
        sample_lines.setdefault(row.sample, row.line)
        if row.donor_id is not None:
            donor_lines.setdefault(row.donor_id, row.line)
    return problems


def _problem(row: Row, code: str, column: int, message: str) -> Problem:
    return Problem(
        code=code, message=message, line=row.line, column=column, subject=row.sample
    )


def _refusal(message: str, line: int | None = None) -> SampleMapInvalid:
    return SampleMapInvalid([Problem(code="not-csv", message=message, line=line)])
