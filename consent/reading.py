"""Narrow a parsed JSON value to what a field may hold, or say that it cannot be.

Each reader answers None for what it cannot read; its caller decides what that
means. `null` is read as absent by the caller, before it comes here.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from consent.decision import JSON, Clause, deny

# Quoted input in a reason is cut here: it may come from anyone.
_SHOWN_CHARACTERS = 40
# fromisoformat alone would also take "20270101" and week dates.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def fields(
    data: Mapping[str, JSON],
    readers: Mapping[str, Callable[[JSON], JSON]],
    *,
    subject: str,
    unknown: str,
    unreadable: Callable[[str], str],
) -> tuple[dict[str, JSON], tuple[Clause, ...]]:
    """Return the fields that could be read, and a denying clause for each other one.

    `null` counts as absent. `unknown` begins the reason for a field without a reader,
    `unreadable` gives the whole one for a field whose reader gave up.
    """
    found: dict[str, JSON] = {}
    problems: list[Clause] = []
    for key in sorted(data, key=str):
        reader = readers.get(key)
        if reader is None:
            reason = f"{unknown} {shown(key)}; what is not understood is refused"
            problems.append(deny(named(subject, key), reason))
        elif data[key] is not None:
            value = reader(data[key])
            if value is None:
                problems.append(deny(named(subject, key), unreadable(key)))
            else:
                found[key] = value
    return found, tuple(problems)


def strings(value: JSON) -> tuple[str, ...] | None:
    """Return a list of non-empty strings, sorted, each once.

    >>> strings(["b", "a", "b"])
    ('a', 'b')
    """
    if not isinstance(value, list | tuple):
        return None
    if not all(isinstance(item, str) and item.strip() for item in value):
        return None
    return tuple(sorted(set(value)))


def day(value: JSON) -> date | None:
    """Return a date written YYYY-MM-DD.

    >>> day("2027-02-28")
    datetime.date(2027, 2, 28)
    """
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def shown(value: JSON) -> str:
    """Return foreign input, cut and quoted, for a reason."""
    text = value if isinstance(value, str) else type(value).__name__
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 1] + "…"
    return repr(text)


def named(subject: str, detail: JSON) -> str:
    """Return a clause code such as `purpose:countries`, of bounded length."""
    return f"{subject}:{str(detail)[:_SHOWN_CHARACTERS]}"
