"""What a mutant of a release is, and the small changes that mutants are made of.

A mutant is a name, what is handed to the check in place of the real thing, and the
codes one of which must be told: the reason, not only the refusal. Where a change could
by chance change nothing, it is not made.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gemmule.releases import signatures


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Something that is not the release, and why it must be refused."""

    what: str
    given: dict[str, Any]
    reasons: tuple[type[Exception], ...]


def flipped(data: bytes, place: int, bit: int) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def signed(body: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return a manifest as it would be had somebody with this key sealed it."""
    public = key.public_key().public_bytes_raw()
    return rfc8785.dumps(
        {
            "manifest": body,
            "signature": {
                "algorithm": signatures.ALGORITHM,
                "key": base64.b64encode(public).decode(),
                "key_id": signatures.key_id(public),
                "value": base64.b64encode(key.sign(signatures.message(body))).decode(),
            },
        }
    )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where in a JSON value something stands that has no parts."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path


def with_leaf(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return the value with what stands there changed; the rest is shared."""
    if not path:
        return change(value)
    first, *rest = path
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[first] = with_leaf(value[first], tuple(rest), change)
    return copied


def other_value(value: Any) -> Any:
    """Return something else of the same kind and form.

    >>> other_value("9f00"), other_value("a0ff"), other_value("GRCh37")
    ('1f00', 'b0ff', 'ARCh37')
    """
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case None:
            return "2027-01-01"
        case "":
            return "x"
        case str():
            first = value[0]
            others = "12" if first.isdigit() else "ab" if first.islower() else "AB"
            return (others[1] if first == others[0] else others[0]) + value[1:]
    raise AssertionError(value)
