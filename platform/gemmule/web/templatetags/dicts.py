"""Look a key up in a mapping."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def get(mapping: Mapping[Any, Any], key: object) -> Any:  # Whatever the mapping holds.
    """Return the value of `key`, or None."""
    return mapping.get(key)
