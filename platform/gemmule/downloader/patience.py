"""How often, and after which wait, something that failed is tried again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from gemmule.downloader.errors import Broken

T = TypeVar("T")

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
# What a site may ask for; whoever has to wait longer had better come back.
LONGEST_ASKED_S = 300.0


class Patience:
    """Forgives failures in a row, each after a longer wait, and then no more."""

    def __init__(
        self,
        retries: int,
        say: Callable[[str], None],
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._retries = retries
        self._say = say
        self._wait = wait
        self._failed = 0

    def insist(self, act: Callable[[], T]) -> T:
        """Return what `act` does, once it does not fail."""
        while True:
            try:
                found = act()
            except Broken as error:
                self.failed(error)
            else:
                self.went_on()
                return found

    def failed(self, error: Broken) -> None:
        """Wait before the next try, or raise the error when there is none."""
        self._failed += 1
        asked = error.wait_s
        if self._failed > self._retries or (asked or 0) > LONGEST_ASKED_S:
            raise error
        # Half of it by chance: readers who were cut off together come back apart.
        backoff = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (self._failed - 1))
        backoff *= random.uniform(0.5, 1)  # noqa: S311 - no secret
        wait_s = max(backoff, asked or 0)
        self._say(f"{error}; try {self._failed} of {self._retries} in {wait_s:.1f} s")
        self._wait(wait_s)

    def went_on(self) -> None:
        """Forget the failures: something has come."""
        self._failed = 0
