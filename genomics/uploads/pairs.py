r"""Read the pairs of a structured header line: <ID=DP,Number=1,Description="Depth">.

Lines that htslib reads with a warning are read with a warning here: quotes that are not
escaped or not closed, a text with commas and without quotes. Only ID, Number, Type and
length decide anything; if these have two readings, the line is refused.

Source: VCF 4.5, section 1.4.
"""

import re
from dataclasses import dataclass, field

_PAIR = re.compile(r'([^=,<>"\s]+)=("(?:[^"\\]|\\.)*"|[^",][^,]*|)(,\s*|$)')
_DESCRIPTION = re.compile(r"(?:^|,)\s*Description=")
# What may follow a text that is not quoted as it should be.
_AFTER = re.compile(
    r",\s*(ID|Number|Type|Source|Version|IDX)=(\"[^\"]*\"|[^\",=]*)$", re.DOTALL
)


class PairsInvalid(Exception):
    """The line cannot be read; its text says what was expected."""


@dataclass(slots=True)
class Pairs:
    """Values by key, without quotes, with escapes; `problems` are worth a warning."""

    values: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def get(self, key: str) -> str:
        return self.values.get(key, "")


def read_pairs(kind: str, value: str) -> Pairs:
    r"""Return the pairs of ##kind=value.

    >>> read_pairs("INFO", '<ID=A,Description="a "b" c">').values["Description"]
    'a \\"b\\" c'
    """
    problems = []
    bare = value.rstrip(" \t")
    if bare != value:
        problems.append("blanks follow the closing bracket; remove them")
    if not (bare.startswith("<") and bare.endswith(">")):
        raise PairsInvalid(f"expected ##{kind}=<...>, got no brackets")
    inside = bare[1:-1]
    values, at = _strict(kind, inside)
    if at < len(inside):
        values = _loose(kind, inside, len(values))
        problems.append(
            "the quotes of its Description do not match; write the text between double "
            'quotes, and \\" for a quote inside'
        )
    return Pairs(values, problems)


def _strict(kind: str, inside: str) -> tuple[dict[str, str], int]:
    values: dict[str, str] = {}
    at = 0
    while at < len(inside):
        match = _PAIR.match(inside, at)
        if match is None:
            break
        key, text, _ = match.groups()
        if key in values:
            raise PairsInvalid(f"expected one {key} in ##{kind}=<...>")
        is_quoted = text.startswith('"')
        values[key] = text[1:-1] if is_quoted else text.replace('"', '\\"')
        at = match.end()
    return values, at


def _loose(kind: str, inside: str, read: int) -> dict[str, str]:
    """Read a line whose Description breaks the grammar: it ends where the line does."""
    start = _DESCRIPTION.search(inside)
    unsound = PairsInvalid(
        f'expected KEY=value or KEY="text", separated by commas, in ##{kind}=<...>, '
        f"got something else after {read} pair(s)"
    )
    if start is None:
        raise unsound
    head, text = inside[: start.start()], inside[start.end() :]
    values, at = _strict(kind, head)
    if at < len(head):
        raise unsound
    later: dict[str, str] = {}
    while (match := _AFTER.search(text)) and match[1] not in {*values, *later}:
        later[match[1]] = match[2].strip('"')
        text = text[: match.start()]
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise unsound  # the rest of the line may be missing
        text = text[1:-1]
    # Escaped anew, for the canonical header is sound.
    text = re.sub(r'\\(["\\])', r"\1", text).replace("\\", "\\\\").replace('"', '\\"')
    return {**values, "Description": text, **later}
