"""What a caller of `gemmule.audit` can act on.

AccountsError
└── NotYetPublished   no published checkpoint covers the entry: come again (503)
"""

from gemmule.accounts.errors import AccountsError


class NotYetPublished(AccountsError):
    """There is no proof of the entry before a published checkpoint covers it."""
