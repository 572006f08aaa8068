"""Forms of the IRB: each parses one signed act and stops."""

from datetime import date, timedelta

from django import forms
from django.utils import timezone


def in_a_year() -> date:
    """Return the end date that a form proposes."""
    return timezone.now().date() + timedelta(days=365)


class SignedForm(forms.Form):
    """A reason and the password again: what every act of the IRB needs."""

    reason = forms.CharField(
        label="Reason",
        help_text="It goes to the project and into the record.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    password = forms.CharField(
        label="Your password, as your signature",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ApprovalForm(SignedForm):
    """An approval's end and the review clauses it turns into permit."""

    expires_on = forms.DateField(
        label="Approved until",
        initial=in_a_year,
        help_text="The last day on which a release may be built or downloaded.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    resolve = forms.MultipleChoiceField(
        label="Conditions you find met",
        help_text="Each lets in the donors who ask for it; then two members sign.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("resolve", "expires_on", "reason", "password")

    def __init__(self, *args: object, codes: list[tuple[str, str]], **kwargs: object):
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as Form takes them
        resolve = self.fields["resolve"]
        if not isinstance(resolve, forms.MultipleChoiceField):
            raise AssertionError("resolve offers choices")
        resolve.choices = codes
        if not codes:
            del self.fields["resolve"]
