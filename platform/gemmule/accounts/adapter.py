"""What happens when somebody signs up; sign-in itself is allauth's."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Let anyone open a donor account."""
