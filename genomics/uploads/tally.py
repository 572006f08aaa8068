"""Count what intake finds in many lines, for one warning each."""

from dataclasses import dataclass


@dataclass(slots=True)
class Count:
    """How many records, samples or values, and the line of the first of them."""

    total: int = 0
    line: int = 0

    def add(self, line: int, number: int = 1) -> None:
        """Count so many of a line; lines come in their order."""
        if number:
            self.total += number
            self.line = self.line or line


class Tally:
    """Warnings of a file: each said once, with its first line and how often it held."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}  # text -> first and last line, times

    def note(self, line: int, text: str) -> None:
        """Note that the text holds of a line; lines come in their order."""
        entry = self._counts.setdefault(text, [line, 0, 0])
        if line != entry[1]:
            entry[1:] = [line, entry[2] + 1]

    def warnings(self) -> list[str]:
        """Return the warnings in the order of their first lines.

        >>> tally = Tally()
        >>> tally.note(7, "REF holds R"); tally.note(9, "REF holds R")
        >>> tally.warnings()
        ['line 7 and 1 more: REF holds R']
        """
        return [
            f"line {line}{f' and {times - 1} more' if times > 1 else ''}: {text}"
            for text, (line, _, times) in sorted(
                self._counts.items(), key=lambda item: item[1][0]
            )
        ]
