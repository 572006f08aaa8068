"""Read the canonical store: BGZF-compressed VCF text, as intake writes it.

Any sound gzip or BGZF VCF is read the same way.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pysam

from genomics.bgzf import END as BGZF_END
from genomics.errors import BuildFailed
from genomics.lines import ENCODING, FIXED_COLUMNS, Version, contig_of, version_of

_READ_BYTES = 1 << 20


class Store:
    """An open store: its header, then its records once over."""

    def __init__(self, path: Path) -> None:
        try:
            _check_end(path)
            self._file = pysam.BGZFile(str(path), "rb", None)
        except OSError as error:
            raise BuildFailed("store", "expected a readable store") from error
        self.line = 0
        self.contig_lengths: dict[str, int | None] = {}
        self.header_lines: tuple[str, ...] = ()
        self._lines = self._read_lines()
        try:
            self.samples = self._read_header()
        except BuildFailed:
            self.close()
            raise

    def records(self) -> Iterator[str]:
        """Yield the record lines without their ends; `line` counts along, from 1."""
        return self._lines

    @property
    def version(self) -> Version:
        """Return the VCF version that the header says."""
        return version_of(self.header_lines)

    def close(self) -> None:
        # After a read error htslib reports it once more; it has been told.
        with contextlib.suppress(OSError):
            self._file.close()

    def _read_header(self) -> tuple[str, ...]:
        line = ""
        header: list[str] = []
        for line in self._lines:
            if not line.startswith("##"):
                break
            header.append(line)
            if contig := contig_of(line):
                name, length = contig
                self.contig_lengths[name] = length
        columns = line.split("\t")
        if columns[0] != "#CHROM" or len(columns) <= FIXED_COLUMNS:
            raise BuildFailed(
                "header", "expected #CHROM with sample columns", self.line
            )
        self.header_lines = tuple(header)
        return tuple(columns[FIXED_COLUMNS:])

    def _read_lines(self) -> Iterator[str]:
        # pysam's readline gives b"" for an empty line and at the end, so a stray empty
        # line would cut the file short without an error.
        begun: list[bytes] = []  # pieces of a line that is longer than a block
        while block := self._read_block():
            first, *others = block.split(b"\n")
            begun.append(first)
            if others:
                yield self._line(b"".join(begun))
                *whole, last = others
                for line in whole:
                    yield self._line(line)
                begun = [last]
        if last_line := b"".join(begun):
            yield self._line(last_line)

    def _line(self, data: bytes) -> str:
        self.line += 1
        return data.removesuffix(b"\r").decode(ENCODING)

    def _read_block(self) -> bytes:
        try:
            return self._file.read(_READ_BYTES)
        except OSError as error:
            raise BuildFailed(
                "store", "expected a whole store, it is cut off or damaged", self.line
            ) from error


def _check_end(path: Path) -> None:
    # A BGZF file cut between two blocks reads well; only its missing end tells. pysam
    # crashes on a file that is not there, so it must be opened here first.
    if path.is_fifo():
        return
    with path.open("rb") as file:
        start = file.read(18)
        file.seek(max(path.stat().st_size - len(BGZF_END), 0), os.SEEK_SET)
        end = file.read()
    is_bgzf = start[:4] == BGZF_END[:4] and start[12:16] == BGZF_END[12:16]
    if is_bgzf and end != BGZF_END:
        raise BuildFailed("store", "expected a whole store, it is cut off")
