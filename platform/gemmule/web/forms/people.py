"""Forms of the administrators' pages: accounts and roles."""

from django import forms

from gemmule.accounts.models import Institution, Role


class InviteForm(forms.Form):
    name = forms.CharField(label="Name", max_length=150)
    email = forms.EmailField(
        label="E-mail address", help_text="They set their password by a mailed link."
    )
    institution = forms.ModelChoiceField(
        label="Institution",
        queryset=Institution.objects.all(),
        required=False,
        empty_label="None",
    )


class ProposeForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        help_text="Of a person who already has an account, and never your own.",
    )
    role = forms.TypedChoiceField(
        label="Role",
        coerce=Role,
        choices=[choice for choice in Role.choices if choice[0] != Role.DONOR],
    )


class ConfirmForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )


class HoldForm(ConfirmForm):
    # What was read: if there are other findings by now, the signature is refused.
    findings_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
