"""What the consent room refuses, one class per reason a caller can act on.

ConsentError
├── PurposeInvalid      a research purpose that does not follow the schema
├── TermsInvalid        terms that no donor could have meant
├── AnswersInvalid      answers that the form does not offer, or none
├── WithheldInvalid     genes or regions that cannot be read
├── FormInvalid         form content that may not be published
├── FormNotFound        no such form version, or none published
├── FormNotCurrent      a form version that may no longer be signed
├── ConsentNotFound     the donor has decided nothing yet
├── StateRefused        the consent's state does not allow this act
│   └── ErasureBegun    the donor is being erased, and acts no more
├── EventReused         an event id that already stands for another act
├── RowAltered          a row says something else than its ledger entry
│   └── RowsAltered     several rows do; carries which rows and fields
└── DecisionMoved       a donor acted, or is being erased, since the row was read
"""

from collections.abc import Mapping, Sequence
from uuid import UUID


class ConsentError(Exception):
    """Root of the room's refusals."""


class PurposeInvalid(ConsentError):
    pass


class TermsInvalid(ConsentError):
    pass


class AnswersInvalid(ConsentError):
    """Carries the question at fault, so that a page can lead to the field."""

    def __init__(self, message: str, *, question: str | None = None) -> None:
        super().__init__(message)
        self.question = question


class WithheldInvalid(ConsentError):
    pass


class FormInvalid(ConsentError):
    pass


class FormNotFound(ConsentError):
    pass


class FormNotCurrent(ConsentError):
    pass


class ConsentNotFound(ConsentError):
    pass


class StateRefused(ConsentError):
    pass


class ErasureBegun(StateRefused):
    pass


class EventReused(ConsentError):
    pass


class RowAltered(ConsentError):
    pass


class RowsAltered(RowAltered):
    """Carries, by the event of each row, the names of the fields that differ."""

    def __init__(self, fields: Mapping[UUID, Sequence[str]]) -> None:
        names = sorted({name for some in fields.values() for name in some})
        super().__init__(
            f"{len(fields)} of the consents differ from their ledger entries in: "
            f"{', '.join(names)}"
        )
        self.fields = {event: tuple(some) for event, some in fields.items()}


class DecisionMoved(ConsentError):
    pass
