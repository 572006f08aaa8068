"""Forms of those who audit."""

from django import forms


class RevokeForm(forms.Form):
    """Why a release ends at once."""

    reason = forms.CharField(
        label="Reason",
        help_text="The recipient reads it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
