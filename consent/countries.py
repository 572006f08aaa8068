"""Country codes of ISO 3166-1 and their English names, for forms and sentences.

Source: iso3166.tab of the tz database, public domain (see data/SOURCE.md).
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def names() -> Mapping[str, str]:
    """Return the name of every code, in the order of the names.

    >>> names()["SE"]
    'Sweden'
    """
    text = files("consent").joinpath("data/iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line[:1] != "#")
    by_name = sorted((name, code) for code, name in rows)
    return MappingProxyType({code: name for name, code in by_name})
