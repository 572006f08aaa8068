"""Merge the parts of one chromosome that an upload keeps on several contigs.

PLINK has the pseudoautosomal part of X on a contig of its own, behind Y. So X and all
later records wait in files of the private directory until the last record is read, and
memory does not grow. Lines come in the order of their positions within each contig.
"""

import contextlib
import heapq
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self, cast

from isal import igzip

_LINES_AT_ONCE = 1000

Write = Callable[[Sequence[bytes]], None]


class Merger:
    """Hands lines on at once, or keeps them until they can be merged."""

    def __init__(self, write: Write) -> None:
        self.has_merged = False
        self._write = write
        self._parts: dict[str, _Spool] = {}
        self._rest: _Spool | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def take(self, lines: Sequence[bytes], part: str | None) -> None:
        """Take lines of a contig that is a `part` of X, or of any other contigs."""
        if part is not None:
            spool = self._parts.get(part)
            if spool is None:
                spool = self._parts[part] = self._stack.enter_context(_Spool())
            spool.write(lines)
        elif self._parts:
            if self._rest is None:
                self._rest = self._stack.enter_context(_Spool())
            self._rest.write(lines)
        else:
            self._write(lines)

    def finish(self) -> None:
        """Write all waiting lines: X in the order of its positions, then the rest."""
        self.has_merged = len(self._parts) > 1
        parts = [spool.lines() for spool in self._parts.values()]
        self._write_all(heapq.merge(*parts, key=_position))
        if self._rest is not None:
            self._write_all(self._rest.lines())

    def _write_all(self, lines: Iterator[bytes]) -> None:
        while some := list(itertools.islice(lines, _LINES_AT_ONCE)):
            self._write(some)


class _Spool:
    """Lines in a packed file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir=Path.cwd())  # noqa: SIM115
        self._packed = _open(self._file, "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.close()
        self._file.close()

    def write(self, lines: Sequence[bytes]) -> None:
        self._packed.write(b"".join(line + b"\n" for line in lines))

    def lines(self) -> Iterator[bytes]:
        self._packed.close()
        self._file.seek(0)
        self._packed = _open(self._file, "rb")
        for line in self._packed:
            yield line[:-1]


def _open(file: BinaryIO, mode: str) -> BinaryIO:
    # ISA-L's levels begin at 0, which packs, and fast.
    packed = igzip.open(file, mode, 0)  # type: ignore[no-untyped-call]  # of isal
    return cast(BinaryIO, packed)


def _position(line: bytes) -> int:
    return int(line.split(b"\t", 2)[1])
