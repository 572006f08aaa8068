"""What a caller of `gemmule.catalog` can act on.

CatalogError (a kind of AccountsError, so that pages and API answer it alike)
├── DatasetInvalid       a field of the description is missing or wrong
├── UploadRefused        the bytes are not even taken in: empty, too large, twice
├── SampleMapInvalid     the map does not fit the files; every mismatch is listed
├── RegionsInvalid       a gene or region cannot be placed; every line is listed
├── DatasetStateError    the dataset is not in a state that allows this
├── RegistrationAltered  its rows say something else than was registered
└── IntakeUnderway       a file may hold a person who is leaving; ask again later

What is wrong inside an uploaded file is no error here: its check is an event that
ends with a report on the file (`DataFile.refusal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gemmule.accounts.errors import AccountsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a text, and where.

    `line` and `column` are 1-based and None where the fault has no single place.
    `subject` is what the line was about (a sample, a gene as typed): shown to the
    person who sent it, never put into a message or a log. `choices` are what could
    stand in its place, for the person to pick from.
    """

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    subject: str = ""
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the message behind its place."""
        if self.line is None:
            return self.message
        column = "" if self.column is None else f", column {self.column}"
        return f"line {self.line}{column}: {self.message}"


class CatalogError(AccountsError):
    """Any refusal of this room."""


class DatasetInvalid(CatalogError):
    """A field of a dataset's description is wrong; `field` names it for the form."""

    def __init__(self, message: str, *, field: str) -> None:
        """Keep the field beside the message."""
        super().__init__(message)
        self.field = field


class UploadRefused(CatalogError):
    """A file was not taken in; nothing of it was kept."""


class SampleMapInvalid(CatalogError):
    """A sample map does not fit; `problems` lists each mismatch, worst kind first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the message tells their number and the first."""
        super().__init__(_summary("sample map", problems))
        self.problems = tuple(problems)


class RegionsInvalid(CatalogError):
    """A text of genes and regions cannot be placed; `problems` are in line order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the message tells their number and the first."""
        super().__init__(_summary("list of regions", problems))
        self.problems = tuple(problems)


class DatasetStateError(CatalogError):
    """The dataset is not in a state that allows what was asked."""


class IntakeUnderway(CatalogError):
    """A file of the dataset is being checked, so that nobody can leave it yet."""


def _summary(what: str, problems: Sequence[Problem]) -> str:
    first, *others = problems
    more = f" (and {len(others)} more)" if others else ""
    return f"the {what} was refused: {first}{more}"


class RegistrationAltered(CatalogError):
    """The rows of a dataset say something else than the ledger; `fields` says where.

    The fields are names of columns, never what stands in them.
    """

    def __init__(self, accession: str, fields: Sequence[str]) -> None:
        """Name the dataset and the fields."""
        super().__init__(
            f"dataset {accession} differs from its registration on the ledger in: "
            f"{', '.join(fields)}"
        )
        self.fields = tuple(fields)
