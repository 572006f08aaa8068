"""Read a JSON object strictly: every key once, each of its type, none left over.

What a field means is left to `genomics.job`; errors name the key, never its value,
because values may be sample names.
"""

import base64
import binascii
from pathlib import Path

from genomics.errors import JobInvalid

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Span = tuple[str, int, int]  # contig, start_0, end


class Fields:
    """Takes typed values out of one JSON object; `finish` refuses what was not taken.

    >>> fields = Fields({"records": 3}, "progress")
    >>> fields.integer("records")
    3
    >>> fields.finish()
    """

    def __init__(self, value: JSON, what: str) -> None:
        if not isinstance(value, dict):
            raise JobInvalid(f"expected an object as {what}")
        self._left = dict(value)
        self._what = what

    def take(self, key: str) -> JSON:
        if key not in self._left:
            raise JobInvalid(f"expected {key} in {self._what}, it is missing")
        return self._left.pop(key)

    def constant(self, key: str, expected: str) -> None:
        if self.take(key) != expected:
            raise JobInvalid(f"expected {key} {expected!r} in {self._what}")

    def text(self, key: str) -> str:
        return text_of(self.take(key), f"{key} of {self._what}")

    def optional_text(self, key: str) -> str | None:
        value = self.take(key)
        return None if value is None else text_of(value, f"{key} of {self._what}")

    def texts(self, key: str) -> tuple[str, ...]:
        what = f"{key} of {self._what}"
        return tuple(text_of(item, what) for item in list_of(self.take(key), what))

    def counts(self, key: str) -> dict[str, int]:
        what = f"{key} of {self._what}"
        value = self.take(key)
        if not isinstance(value, dict):
            raise JobInvalid(f"expected an object as {what}")
        return {text_of(name, what): integer_of(n, what) for name, n in value.items()}

    def integer(self, key: str) -> int:
        return integer_of(self.take(key), f"{key} of {self._what}")

    def optional_integer(self, key: str) -> int | None:
        value = self.take(key)
        return None if value is None else integer_of(value, f"{key} of {self._what}")

    def boolean(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise JobInvalid(f"expected true or false as {key} of {self._what}")
        return value

    def path(self, key: str) -> Path:
        text = self.text(key)
        path = Path(text)
        if "\0" in text or not path.is_absolute():
            raise JobInvalid(f"expected an absolute path as {key} of {self._what}")
        return path

    def base64(self, key: str) -> bytes:
        try:
            return base64.b64decode(self.text(key), validate=True)
        except (binascii.Error, ValueError) as error:
            raise JobInvalid(f"expected base64 as {key} of {self._what}") from error

    def finish(self) -> None:
        if self._left:
            raise JobInvalid(
                f"expected no further keys in {self._what}, got {len(self._left)}"
            )


def text_of(value: JSON, what: str) -> str:
    """Return `value` if it is a string without NUL."""
    if not isinstance(value, str) or "\0" in value:
        raise JobInvalid(f"expected text as {what}")
    return value


def integer_of(value: JSON, what: str) -> int:
    """Return `value` if it is an integer of at least 0 and below 2^63."""
    # bool is an int in Python, not in JSON.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise JobInvalid(f"expected a whole number of at least 0 as {what}")
    return value


def list_of(value: JSON, what: str) -> list[JSON]:
    """Return `value` if it is a list."""
    if not isinstance(value, list):
        raise JobInvalid(f"expected a list as {what}")
    return value


def tuple_of(value: JSON, what: str, length: int) -> list[JSON]:
    """Return `value` if it is a list of just `length` items."""
    items = list_of(value, what)
    if len(items) != length:
        raise JobInvalid(f"expected {length} items in {what}, got {len(items)}")
    return items


def spans_of(value: JSON) -> tuple[Span, ...]:
    """Return a list of [contig, start_0, end] as spans."""
    return tuple(_span_of(item) for item in list_of(value, "spans"))


def pair_of(value: JSON) -> tuple[str, str]:
    """Return [source name, output name] as a pair."""
    source, output = tuple_of(value, "sample", 2)
    return text_of(source, "source name"), text_of(output, "output name")


def contig_lengths_of(value: JSON) -> dict[str, int]:
    """Return a list of [contig, length] as a mapping in the list's order."""
    pairs = [
        tuple_of(item, "contig length", 2) for item in list_of(value, "contig_lengths")
    ]
    lengths = {
        text_of(name, "contig"): integer_of(n, "contig length") for name, n in pairs
    }
    if len(lengths) != len(pairs):
        raise JobInvalid("expected each contig once in contig_lengths")
    return lengths


def contig_count_of(value: JSON) -> tuple[str, int | None, int]:
    """Return [contig, length or null, records] as a tuple."""
    name, length, records = tuple_of(value, "contig", 3)
    return (
        text_of(name, "contig"),
        None if length is None else integer_of(length, "contig length"),
        integer_of(records, "records of contig"),
    )


def megabases_of(value: JSON) -> tuple[tuple[str, int, int], ...]:
    """Return a list of [contig, megabase, records] as tuples."""
    items = [
        tuple_of(item, "megabase", 3) for item in list_of(value, "records by megabase")
    ]
    return tuple(
        (
            text_of(name, "contig of megabase"),
            integer_of(megabase, "megabase"),
            integer_of(records, "records of megabase"),
        )
        for name, megabase, records in items
    )


def _span_of(value: JSON) -> Span:
    contig, start_0, end = tuple_of(value, "span", 3)
    return (
        text_of(contig, "contig of span"),
        integer_of(start_0, "start of span"),
        integer_of(end, "end of span"),
    )
