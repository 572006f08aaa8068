"""A program that tests run and no wheel brings; `programs` finds or installs it."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the tests with a mark need, and which packages of Debian bring it."""

    mark: str
    # Of the mark, for `pytest --markers`.
    meaning: str
    called: str
    packages: tuple[str, ...]
    # Where it is looked for, in words.
    searched: str
    is_there: Callable[[], bool]


def starts(command: Sequence[str]) -> bool:
    """Tell whether the command runs to a good end."""
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0
