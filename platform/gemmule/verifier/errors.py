"""Errors of the verifier; what does not hold in the ledger's own terms is ledger's.

VerifierError
├── NothingChecked      an input that cannot be read: nothing can be said about it
└── RecordRefused       a donor record that is not one, or does not hold
    └── ActMissing      acts of the donor that the record leaves out
"""


class VerifierError(Exception):
    """Anything the verifier refuses by itself."""


class NothingChecked(VerifierError):
    """An input cannot be read, so that nothing can be said about it."""


class RecordRefused(VerifierError):
    """The file is not a donor record, or its acts do not hold together."""


class ActMissing(RecordRefused):
    """Acts are missing between those of the record."""
