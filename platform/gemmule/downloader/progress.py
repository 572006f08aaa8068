"""Show how far a download is: on a terminal, in plain lines, or for machines."""

import json
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import IO

# The rate is that of the last seconds: a pause is seen, a stutter is not.
_WINDOW_S = 15.0
_TERMINAL_EVERY_S = 0.2
_LINES_EVERY_S = 10.0
_JSON_EVERY_S = 1.0


class Rate:
    """Bytes a second over the last seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock(), 0)])

    def moved(self, count: int) -> None:
        """Count bytes that came now."""
        now = self._clock()
        self._seen.append((now, count))
        while len(self._seen) > 1 and now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()

    def per_second(self) -> float:
        """Return the rate, 0 when nothing has come for long."""
        now = self._clock()
        span = max(now - self._seen[0][0], 1e-3)
        return sum(count for at, count in self._seen if now - at <= _WINDOW_S) / span


class Progress:
    """How far all files together are; subclasses show it."""

    every_s = _LINES_EVERY_S

    def __init__(
        self, out: IO[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._clock = clock
        self._rate = Rate(clock)
        self._shown_at = clock()
        self.name = ""
        self.size = 0
        self.position = 0
        self.total = 0
        self.done = 0

    def begin(self, total: int) -> None:
        """Say how many bytes all files have together."""
        self.total, self.done = total, 0

    def file(self, name: str, size: int, position: int) -> None:
        """Begin a file, of which some bytes are here already."""
        self.name, self.size, self.position = name, size, position
        self.done += position
        self.show(is_new=True)

    def moved(self, count: int) -> None:
        """Count bytes that came; below zero when a file starts over."""
        self.position += count
        self.done += count
        self._rate.moved(max(count, 0))
        now = self._clock()
        if now - self._shown_at >= self.every_s or self.position == self.size:
            self._shown_at = now
            self.show(is_new=False)

    def say(self, text: str) -> None:
        """Say something in passing."""
        raise NotImplementedError

    def show(self, *, is_new: bool) -> None:
        """Show how far it is."""
        raise NotImplementedError

    def end(self) -> None:
        """Leave the last line standing."""

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at this rate; None while nobody can say."""
        rate = self._rate.per_second()
        return (self.total - self.done) / rate if rate > 0 else None

    def _line(self) -> str:
        share = 100 * self.position // self.size if self.size else 100
        line = (
            f"{self.name}  {share} %  {size(self.position)} of {size(self.size)}  "
            f"{size(self._rate.per_second())}/s"
        )
        left = self.seconds_left
        return line if left is None else f"{line}  {duration(left)} left"


class Lines(Progress):
    """A plain line now and then."""

    def say(self, text: str) -> None:
        """Print a line of its own."""
        print(text, file=self._out, flush=True)

    def show(self, *, is_new: bool) -> None:
        """Print where it is."""
        if is_new:
            if self.position:
                self.say(f"{self.name}: going on after {size(self.position)}")
            return
        self.say(self._line())


class Terminal(Progress):
    """One line that is written over."""

    every_s = _TERMINAL_EVERY_S

    def say(self, text: str) -> None:
        """Print a line of its own, above the one that moves."""
        print(f"\r\x1b[K{text}", file=self._out, flush=True)

    def show(self, *, is_new: bool) -> None:
        """Write over the line."""
        if is_new and self.position:
            self.say(f"{self.name}: going on after {size(self.position)}")
        print(f"\r\x1b[K{self._line()}", end="", file=self._out, flush=True)
        if self.position == self.size:
            self.end()

    def end(self) -> None:
        """Leave the line, so that what follows does not write over it."""
        print(file=self._out, flush=True)


class JSONLines(Progress):
    """One JSON object a line."""

    every_s = _JSON_EVERY_S

    def say(self, text: str) -> None:
        """Print it as an event."""
        self._print({"event": "note", "message": text})

    def show(self, *, is_new: bool) -> None:
        """Print the numbers."""
        left = self.seconds_left
        self._print(
            {
                "event": "file" if is_new else "progress",
                "name": self.name,
                "bytes": self.position,
                "size_bytes": self.size,
                "bytes_per_second": round(self._rate.per_second()),
                "seconds_left": None if left is None else round(left, 1),
            }
        )

    def _print(self, value: dict[str, object]) -> None:
        print(json.dumps(value, sort_keys=True), file=self._out, flush=True)


def chosen(*, as_json: bool) -> Progress:
    """Return what suits who reads: a machine, a terminal, or a log."""
    if as_json:
        return JSONLines(sys.stdout)
    if sys.stderr.isatty():
        return Terminal(sys.stderr)
    return Lines(sys.stderr)


def size(count: float) -> str:
    """Return a number of bytes as people read it.

    >>> size(999), size(1_500_000), size(2_000_000_000)
    ('999 B', '1.5 MB', '2.0 GB')
    """
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time as people read it.

    >>> duration(7.2), duration(95), duration(7300)
    ('7 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
