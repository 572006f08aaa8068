"""What a caller of `gemmule.access` can act on.

AccessError (a kind of AccountsError, so that pages and API answer it alike)
├── RequestInvalid       a field of the request is missing or wrong
├── RequestStateError    the request is not in a state that allows this
├── ReviewInvalid        the review lacks a reason, an end date or a valid clause
└── ApprovalAltered      its rows say something else than the IRB signed
"""

from collections.abc import Sequence

from gemmule.accounts.errors import AccountsError
from gemmule.catalog.errors import Problem


class AccessError(AccountsError):
    """Any refusal of this room."""


class RequestInvalid(AccessError):
    """A field of a project or request is wrong; `field` names it for the form.

    `problems` are the single faults of a field that holds many things.
    """

    def __init__(
        self, message: str, *, field: str, problems: Sequence[Problem] = ()
    ) -> None:
        """Keep the field beside the message."""
        super().__init__(message)
        self.field = field
        self.problems = tuple(problems)


class RequestStateError(AccessError):
    """The request is not in a state that allows what was asked."""


class ReviewInvalid(AccessError):
    """A review lacks what a signed decision needs; `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        """Keep the field beside the message."""
        super().__init__(message)
        self.field = field


class ApprovalAltered(AccessError):
    """The rows of an approval say something else than was signed; `fields` says where.

    The fields are names of columns, never what stands in them.
    """

    def __init__(self, accession: str, fields: Sequence[str]) -> None:
        """Name the request and the fields."""
        super().__init__(
            f"request {accession} differs from its approval on the ledger in: "
            f"{', '.join(fields)}"
        )
        self.fields = tuple(fields)
