"""The seal: how a recorded act shows on a page."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from gemmule.web import rosette, witnessing
from ledger.selectors import CheckpointView, EntryView

register = template.Library()


@register.simple_tag
def seal_mark(entry: EntryView | None) -> SafeString:
    """Return the SVG mark of an entry; an empty ring while it has no place."""
    if entry is None or entry.leaf_hash is None:
        svg = rosette.unsealed()
    else:
        svg = rosette.rosette(entry.leaf_hash, published=entry.state == "published")
    return mark_safe(svg)  # noqa: S308 - drawn from numbers, holds no text


@register.simple_tag
def small_seal_mark(entry: EntryView | None) -> SafeString:
    """Return the mark for a line of text."""
    if entry is None or entry.leaf_hash is None:
        svg = rosette.unsealed()
    else:
        svg = rosette.small_rosette(entry.leaf_hash)
    return mark_safe(svg)  # noqa: S308 - drawn from numbers, holds no text


@register.simple_tag
def root_mark(root: bytes) -> SafeString:
    """Return the mark of a whole tree, drawn from its root."""
    return mark_safe(rosette.rosette(root))  # noqa: S308 - drawn from numbers


@register.simple_tag
def foot_band(root: bytes) -> SafeString:
    """Return the strip at the foot of a page, drawn from the ledger's root."""
    return mark_safe(rosette.band(root))  # noqa: S308 - drawn from numbers


@register.filter
def cosigners(checkpoint: CheckpointView | None) -> tuple[str, ...]:
    """Return who stands under a checkpoint besides the ledger's own notary."""
    return witnessing.cosigners(checkpoint.note) if checkpoint else ()


@register.filter
def readable(name: str) -> str:
    """Return the name of a key as a page can hold it."""
    return witnessing.readable(name)


@register.filter
def short_hash(value: bytes | str | None) -> str:
    """Return the first and last four hexadecimal digits.

    >>> short_hash(bytes.fromhex("a1b2" + "00" * 28 + "c3d4"))
    'a1b2…c3d4'
    """
    if not value:
        return ""
    text = value if isinstance(value, str) else bytes(value).hex()
    return f"{text[:4]}…{text[-4:]}"
