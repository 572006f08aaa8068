"""What only the API refuses; every other error comes from the rooms below.

AccountsError
├── FieldRefused   one field of the body or one header is wrong (400)
├── WrongState     the thing is not in a state that allows this (409)
├── SignInNeeded   a token may not do this, its owner may on the pages (403)
└── KeyReused      the Idempotency-Key was sent before with another request (422)
"""

from gemmule.accounts.errors import AccountsError


class FieldRefused(AccountsError):
    """A field is wrong; `field` names it as the API does, `code` says how."""

    def __init__(self, message: str, *, field: str, code: str = "invalid") -> None:
        """Keep the field and the code beside the message."""
        super().__init__(message)
        self.field = field
        self.code = code


class WrongState(AccountsError):
    """The thing is not in a state that allows what was asked."""


class KeyReused(AccountsError):
    """The key was sent before with another request."""


class SignInNeeded(AccountsError):
    """The act needs the password or passkey again, which only pages can ask for."""
