"""What a caller of `gemmule.accounts` can act on.

AccountsError
├── NotAllowed            the person is known, the act is not theirs (403)
├── NotFound              not there, or not for this person to know of (404)
├── SignatureRefused      the password did not match, nothing was signed
│   └── TooManyTries      too many wrong passwords, come back later
├── KeyRefused            this text is not a public key we can encrypt to
│   └── SecretKeyRefused  it holds a secret key; it was neither kept nor logged
├── ProofRefused          the answer does not prove possession of the key
├── TokenRefused          an API token cannot be made as asked
├── AccountRefused        an account cannot be made as asked
└── RoleRefused           a role cannot be proposed, confirmed or revoked so
"""


class AccountsError(Exception):
    """A request about people, keys or roles that is refused."""


class NotAllowed(AccountsError):
    """The person may know of the thing, but not do this to it."""


class NotFound(AccountsError):
    """Nothing there that this person may know of."""


class SignatureRefused(AccountsError):
    """The act was not signed; nothing changed."""


class TooManyTries(SignatureRefused):
    """Too many wrong passwords in a row; signing rests for a while."""


class KeyRefused(AccountsError):
    """The text is not a public key that files can be encrypted to."""


class SecretKeyRefused(KeyRefused):
    """The text holds a secret key, which must never leave its owner."""


class ProofRefused(AccountsError):
    """The answer does not prove that the person holds the secret key."""


class TokenRefused(AccountsError):
    """An API token cannot be issued as asked."""


class AccountRefused(AccountsError):
    """An account cannot be made or linked as asked."""


class RoleRefused(AccountsError):
    """A role cannot be proposed, confirmed, declined or revoked as asked."""
