"""Write the canonical store: BGZF with its CSI index and columns, whole or not at all.

The header is known only when the last record has been read, so records are packed
first, into a file beside the store; then header and records are joined, for BGZF files
can be put behind each other as they are. The store appears under its name once htslib
has read it from end to end, index included. What stands in it is left to others.
"""

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import pysam

from genomics import bgzf
from genomics.columnar import file as columnar
from genomics.columnar.writer import ColumnWriter
from genomics.job import COLUMNS_SUFFIX, INDEX_SUFFIX
from genomics.sandbox import part_path
from genomics.uploads.refusal import refusal

_COPY_BYTES = 1 << 20
_BLOCKS_IN_FLIGHT = 64
_THREADS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What htslib must find in a store; `contigs` are those that have records."""

    samples: tuple[str, ...]
    contigs: tuple[str, ...]
    records: int
    # Of the first record, in the upload; None if records stand in another order there.
    first_line: int | None


class StoreWriter:
    """Takes the records of one store; a context manager that leaves no parts behind."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.sha256_columns = ""
        self.megabases: tuple[tuple[str, int, int], ...] = ()
        self.index = store.with_name(store.name + INDEX_SUFFIX)
        self._columns = store.with_name(store.name + COLUMNS_SUFFIX)
        self._columns_part = part_path(self._columns)
        self._body_part = part_path(store.with_name(store.name + ".body"))
        self._store_part = part_path(store)
        self._index_part = part_path(self.index)
        self._stack = contextlib.ExitStack()
        self._pool: ThreadPoolExecutor
        self._body: _BlockWriter
        self._column_writer: ColumnWriter

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for part in (
                self._body_part,
                self._store_part,
                self._index_part,
                self._columns_part,
            ):
                stack.callback(part.unlink, missing_ok=True)
            columns = stack.enter_context(self._columns_part.open("xb"))
            self._column_writer = ColumnWriter(columnar.Writer(columns))
            self._pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
            file = stack.enter_context(self._body_part.open("xb"))
            self._body = _BlockWriter(file, self._pool)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, lines: Sequence[bytes]) -> None:
        """Take some records, without their line ends."""
        self._body.write(b"\n".join([*lines, b""]))
        for line in lines:
            self._column_writer.add(line)

    def finish(self, lines: Sequence[str], expected: Expected) -> str:
        """Put the store under its name; return its SHA-256 in hex.

        Then `sha256_columns` is that of the directory of its columns, and `megabases`
        is where its records lie, as in the result of intake.
        `lines` is the header. Raises IntakeRefused if htslib cannot read the store.
        """
        self._body.finish()
        header = "".join(f"{line}\n" for line in lines).encode()
        digest = self._join(header)
        self.sha256_columns = self._column_writer.finish(header)
        self.megabases = self._column_writer.megabases()
        with _quiet():
            # htslib lets go of the interpreter while it reads, so both go on at once.
            index = self._pool.submit(self._build_index)
            _check_records(self._store_part, expected)
            index.result()
            _check_index(self._store_part, self._index_part, expected)
        _sync(self._index_part)
        _sync(self._columns_part)
        # The store last: it is never seen without what belongs to it.
        self._index_part.replace(self.index)
        self._columns_part.replace(self._columns)
        self._store_part.replace(self.store)
        _sync(self.store.parent)
        return digest

    def _join(self, header: bytes) -> str:
        sha256 = hashlib.sha256()
        with self._body_part.open("rb") as body, self._store_part.open("xb") as file:
            for piece in _pieces(header, body):
                sha256.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return sha256.hexdigest()

    def _build_index(self) -> None:
        try:
            pysam.tabix_index(
                str(self._store_part),
                preset="vcf",
                csi=True,
                index=str(self._index_part),
                keep_original=True,
                force=True,
            )
        except (OSError, ValueError) as error:
            raise refusal("htslib", "expected records that htslib can index") from error


class _BlockWriter:
    """Packs text into BGZF blocks; the packing runs beside the reading."""

    def __init__(self, file: BinaryIO, pool: ThreadPoolExecutor) -> None:
        self._file = file
        self._pool = pool
        self._pending = bytearray()
        self._blocks: deque[Future[bytes]] = deque()

    def write(self, data: bytes) -> None:
        self._pending += data
        whole = len(self._pending) - len(self._pending) % bgzf.BLOCK_BYTES
        if not whole:
            return
        for start in range(0, whole, bgzf.BLOCK_BYTES):
            self._send(bytes(self._pending[start : start + bgzf.BLOCK_BYTES]))
        del self._pending[:whole]

    def finish(self) -> None:
        if self._pending:
            self._send(bytes(self._pending))
        while self._blocks:
            self._file.write(self._blocks.popleft().result())
        self._file.flush()

    def _send(self, data: bytes) -> None:
        self._blocks.append(self._pool.submit(bgzf.block, data, bgzf.FAST))
        if len(self._blocks) > _BLOCKS_IN_FLIGHT:
            self._file.write(self._blocks.popleft().result())


def _pieces(header: bytes, body: BinaryIO) -> Iterator[bytes]:
    yield from bgzf.blocks(header, bgzf.FAST)
    while piece := body.read(_COPY_BYTES):
        yield piece
    yield bgzf.END


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep htslib's log shut, for it quotes names and genotypes."""
    verbosity = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(verbosity)


def _check_records(store: Path, expected: Expected) -> None:
    """Read the store as the engine will, and refuse what htslib refuses.

    The text has been checked before, so nothing should be left; a release must not be
    the first to find out.
    """
    read = 0
    try:
        with pysam.VariantFile(str(store)) as file:
            if tuple(file.header.samples) != expected.samples:
                raise refusal("htslib", "expected htslib to read the sample names")
            for _ in file:
                read += 1
    except (OSError, ValueError) as error:
        line = None
        if expected.first_line is not None and read < expected.records:
            line = expected.first_line + read
        message = "expected a record that htslib can read"
        raise refusal("htslib", message, line) from error
    if read != expected.records:
        raise refusal(
            "htslib", f"expected {expected.records} records by htslib, got {read}"
        )


def _check_index(store: Path, index: Path, expected: Expected) -> None:
    try:
        with pysam.VariantFile(str(store), index_filename=str(index)) as file:
            for contig in expected.contigs:
                next(file.fetch(contig))
    except (OSError, ValueError, StopIteration) as error:
        message = "expected records of each contig in the index"
        raise refusal("htslib", message) from error
