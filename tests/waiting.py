"""Wait for something that another process does, with a deadline.

The only place in the tests that sleeps: between two looks, never instead of one.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, what: str, timeout_s: float = 20) -> T:
    """Return the first true answer of `look`; fail, naming `what`, at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not (answer := look()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.02)
    return answer
