"""Controls of a form: described by their hint and their error, and linked to."""

from django import template
from django.forms import BoundField, CheckboxSelectMultiple, RadioSelect
from django.utils.safestring import SafeString

from gemmule.web.forms import instead

register = template.Library()


@register.simple_tag
def control(field: BoundField, hint: str = "") -> SafeString:
    """Return the widget, told which texts beside it describe it.

    Django does this for a help text; `hint` is one that the template gives. A
    placeholder is left out: it repeats the label and is gone when one types.
    """
    texts = (("helptext", hint or field.help_text), ("error", field.errors))
    described = " ".join(f"{field.auto_id}_{name}" for name, text in texts if text)
    attrs: dict[str, str | bool] = {"placeholder": False}
    if described:
        attrs["aria-describedby"] = described
    return field.as_widget(attrs=attrs)


@register.filter
def offers(field: BoundField) -> list[tuple[str, str]]:
    """Return (typed, choice) of each thing the errors of a field suggest instead."""
    return instead.offers(field.errors)


@register.filter
def first_control(field: BoundField) -> str:
    """Return the id of the control that a link from the error summary leads to."""
    if isinstance(field.field.widget, (RadioSelect, CheckboxSelectMultiple)):
        return f"{field.auto_id}_0"
    return field.id_for_label or str(field.auto_id)
