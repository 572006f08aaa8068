"""Plain words for what the machine holds as codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from gemmule.web import words

register = template.Library()


@register.filter
def tone(state: str) -> str:
    """Return the tone of a state."""
    return words.tone(state)


@register.filter
def time_left(seconds: int) -> str:
    """Return a span of time as roughly as an estimate deserves."""
    return words.time_left(seconds)


@register.filter
def places(regions: Sequence[tuple[str, int, int]]) -> list[str]:
    """Return regions (0-based half-open) as one may type them, 1-based."""
    return [f"{contig}:{start + 1:,}-{end:,}" for contig, start, end in regions]


@register.filter
def purpose_words(stated: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return a purpose as questions and answers."""
    return words.purpose(stated)
