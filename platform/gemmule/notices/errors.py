"""What a caller of `gemmule.notices` can act on.

NoticesError (a kind of AccountsError, so that pages answer it alike)
└── NoticeInvalid    a notice without a subject, or a link that leaves this site
"""

from gemmule.accounts.errors import AccountsError


class NoticesError(AccountsError):
    """Any refusal of this room."""


class NoticeInvalid(NoticesError):
    """The notice cannot be sent as it is."""
