"""Forms of a person's own account: profile, keys, tokens."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from gemmule.accounts import keys
from gemmule.accounts.errors import KeyRefused, SecretKeyRefused


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        help_text="Shown to the people you work with here.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class KeyTextField(forms.CharField):
    """A text that only the parser of keys judges, so that it says everywhere the same.

    Null characters stay: a file in UTF-16 has them, and the parser reads it.
    """

    def __init__(self, *, label: str, help_text: str, widget: forms.Widget) -> None:
        super().__init__(label=label, help_text=help_text, widget=widget, strip=False)
        self.validators = [
            validator
            for validator in self.validators
            if not isinstance(validator, ProhibitNullCharactersValidator)
        ]


class KeyForm(forms.Form):
    name = forms.CharField(
        label="A name for the key",
        max_length=100,
        help_text="So that you know it again, such as “laptop” or “cluster”.",
    )
    # A text box, not a file: an upload would lie on our disk for a moment, and
    # people pick the wrong one of the two files.
    public_key = KeyTextField(
        label="The public key",
        help_text=(
            "Paste the whole text of your public key file. Its name most often ends "
            "in .pub. Never paste the other file: it is secret and must not leave your "
            "computer."
        ),
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}
        ),
    )

    def clean_public_key(self) -> str:
        """Check the key already here, so that all errors stand on one page."""
        text: str = self.cleaned_data["public_key"]
        try:
            keys.parse_public_key(text)
        except KeyRefused as refusal:
            raise ValidationError(str(refusal)) from None
        return text

    def clean(self) -> None:
        """Look for a secret key in the name too: one line above is where it slips in.

        What was typed counts, because a key is too long for a name.
        """
        try:
            keys.refuse_secret_key(self.data.get("name", ""))
        except SecretKeyRefused as refusal:
            self.add_error("name", ValidationError(str(refusal), code="secret-key"))

    def forget_refused_key(self) -> None:
        """Take a refused text out of the form: no page repeats what may be secret."""
        refused = set()
        if "public_key" in self.errors:
            refused.add("public_key")
        if self.has_error("name", "secret-key"):
            refused.add("name")
        if refused:
            self.data = {
                name: value for name, value in self.data.items() if name not in refused
            }


class ProofForm(forms.Form):
    answer = forms.CharField(
        label="The text that was inside",
        max_length=keys.MAX_TEXT_CHARACTERS,
        help_text="One line of 64 letters and digits.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )

    def forget_answer(self) -> None:
        """Take a refused answer out of the form: it may be anything at all."""
        self.data = {
            name: value for name, value in self.data.items() if name != "answer"
        }


class TokenForm(forms.Form):
    name = forms.CharField(
        label="A name for the token",
        max_length=100,
        help_text="What will use it, such as “nightly script”.",
    )
    days = forms.TypedChoiceField(
        label="It works for",
        coerce=int,
        choices=((7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")),
        initial=30,
    )
    password = forms.CharField(
        label="Your password",
        help_text="A token opens what you may open, so we ask who you are again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )

    def expiry(self) -> timedelta:
        """Return how long the token shall work."""
        return timedelta(days=self.cleaned_data["days"])


class AgainForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        help_text="A session can be copied from a browser; your password cannot.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )
