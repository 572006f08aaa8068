"""Collect the faults of an upload, so that a steward can repair them all at once."""

from collections.abc import Iterable

from genomics.errors import IntakeRefused

MAX_FAULTS = 20


class Faults:
    """What was refused so far; the first fault of the file is the one that counts."""

    def __init__(self) -> None:
        self._refusals: list[IntakeRefused] = []

    def __bool__(self) -> bool:
        return bool(self._refusals)

    @property
    def is_full(self) -> bool:
        """Whether a report has as many faults as it may."""
        return len(self._refusals) >= MAX_FAULTS

    def add(self, refusals: Iterable[IntakeRefused]) -> None:
        """Take more faults, in any order."""
        self._refusals += refusals

    def with_code(self, *codes: str) -> IntakeRefused | None:
        """Return the first fault with one of the codes."""
        return next((each for each in self._refusals if each.code in codes), None)

    def refusal(self) -> IntakeRefused:
        """Return the one error that tells them all, at the place of the first."""
        # What has no line comes last: it is found when all has been read.
        ordered = sorted(
            self._refusals,
            key=lambda each: (each.line is None, each.line or 0, each.column or 0),
        )[:MAX_FAULTS]
        first = ordered[0]
        faults = [fault for each in ordered for fault in each.faults]
        return IntakeRefused(
            first.code, first.message, first.line, first.column, faults
        )
