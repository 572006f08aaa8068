"""What can go wrong when genomic files are checked, cut and sealed.

GenomicsError
|-- JobInvalid        the job itself is malformed: a fault of the caller
|-- IntakeRefused     an uploaded file is not a sound VCF: tell the steward
|-- BuildFailed       a release could not be cut from the store
|-- ChildKilled       the child process died or broke a resource limit
|-- ChildTimeout      the child process took longer than it was given
|-- KeyInvalid        not a key that files can be encrypted to or opened with
|   `-- SecretKeyPasted   a secret key where a public one was expected
|-- CryptInvalid      not a sound Crypt4GH file, or not for this key
|-- BedInvalid        a text is not the BED of regions of the build
`-- UnknownGene       no gene of the build has this symbol

Messages never hold sample names, genotypes or key bytes: they reach logs and pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every child process loads this module, none looks a gene up
    from genomics.gene_names import OtherName


class GenomicsError(Exception):
    """The root: every error this room raises on purpose."""


class JobInvalid(GenomicsError):
    """The job asks for something that is not a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One reason for which intake refuses a file, as in `IntakeRefused`."""

    code: str
    message: str
    line: int | None = None
    column: int | None = None


class IntakeRefused(GenomicsError):
    """An uploaded file is not what intake accepts.

    `code` is stable and machine-readable; `line` and `column` are 1-based positions
    in the decompressed text, where `column` counts the tab-separated field. `faults`
    are all that intake found before it stopped, in the order of the file: the other
    attributes are those of the first.
    """

    def __init__(
        self,
        code: str,
        message: str,
        line: int | None = None,
        column: int | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        first = Fault(code=code, message=message, line=line, column=column)
        self.faults = tuple(faults) or (first,)


class BuildFailed(GenomicsError):
    """A release could not be built from its source; `code` says which rule failed."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        # What is handed on here is what another process makes the error from again.
        super().__init__(code, message, line)
        self.code = code
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return self.message


class ChildKilled(GenomicsError):
    """The child process ended without a result, by a signal or a limit."""


class ChildTimeout(GenomicsError):
    """The child process was stopped because its time was up."""


class KeyInvalid(GenomicsError):
    """The text or bytes are not a key that files can be encrypted to or opened with."""


class SecretKeyPasted(KeyInvalid):
    """A secret key came where a public key belongs; it must not be kept."""


class CryptInvalid(GenomicsError):
    """A Crypt4GH stream is malformed, cut, changed or meant for another key."""


class BedInvalid(GenomicsError):
    """A BED text cannot be used; `line` and `column` are 1-based, None for the whole.

    The columns are contig, start and end, in this order.
    """

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        place = f"line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.message}"


class UnknownGene(GenomicsError):
    """No gene of the build has the symbol.

    `others` says which genes have it as another name (the whole list: a name may stand
    for several); without any, `suggestions` are symbols that are spelt alike.
    """

    def __init__(
        self,
        symbol: str,
        build: str,
        suggestions: tuple[str, ...],
        others: "tuple[OtherName, ...]" = (),
    ) -> None:
        message = f"expected a gene symbol of RefSeq on {build}, got {symbol}"
        if others:
            message += f", {' and '.join(str(one) for one in others)}"
        if suggestions:
            message += f"; did you mean {', '.join(suggestions)}?"
        super().__init__(message)
        self.symbol = symbol
        self.suggestions = suggestions
        self.others = others
