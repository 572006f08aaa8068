"""Forms of allauth's pages where this site asks for more, or tells less."""

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter

from gemmule.accounts import passwords


class ChangePasswordForm(
    allauth.ChangePasswordForm  # type: ignore[misc]  # has no types
):
    """Ask for the current password; a wrong one counts like a wrong signature."""

    def clean_oldpassword(self) -> str:
        """Return the password; refuse a wrong one, and all after too many."""
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class ResetPasswordForm(
    allauth.ResetPasswordForm  # type: ignore[misc]  # has no types
):
    """Mail a link to main, verified addresses alone; every answer looks the same."""

    def clean_email(self) -> str:
        """Return the address, having looked up whom a link goes to."""
        email: str = get_adapter().clean_email(self.cleaned_data["email"].lower())
        self.users = passwords.recipients_of_link(email)
        return email


class ResetPasswordKeyForm(
    allauth.ResetPasswordKeyForm  # type: ignore[misc]  # has no types
):
    """Take the new password of who has opened the mailed link."""

    def save(self) -> None:
        """Set it; the link came to the main address and proves it."""
        passwords.set_by_mailed_link(
            user=self.user, password=self.cleaned_data["password1"]
        )
