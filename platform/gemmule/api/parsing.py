"""Read JSON bodies: of bounded depth, and without text that no row can hold.

Their size is bounded by Django (DATA_UPLOAD_MAX_MEMORY_SIZE) before they come here;
what the values mean is the serializers' affair.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """Parse JSON that fits into the database."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value; raises ParseError."""
        try:
            found = super().parse(stream, media_type, parser_context)
            texts = list(_texts(found))
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
        for text in texts:
            # PostgreSQL keeps no NUL, and half a surrogate pair is no character.
            if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
                raise ParseError("a text holds a character that cannot be kept")
        return found


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
