r"""Read an upload in BCF, the binary form, as the text that `bcftools view` prints.

So one reader judges both forms, and both give the same store. Sizes are checked before
memory is taken, one record at a time. A record has two sizes, then the part that all
samples share, then a block for each FORMAT key:

    l_shared l_indiv | CHROM POS rlen QUAL counts ID alleles FILTER INFO | FORMAT ...

Source: VCF 4.5, section 6 (BCF 2.2); BCF 2.1 differs in its dictionary alone, which may
leave IDX out. How values are written follows htslib's `vcf_format`.
"""

import struct
from collections.abc import Iterable, Iterator

from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.bcf_values import (
    CONTROL_CHARACTER,
    MISSING_FLOAT,
    Cells,
    Cursor,
    Unsound,
    float_text,
)
from genomics.uploads.pairs import PairsInvalid, read_pairs
from genomics.uploads.refusal import refusal

MAGICS = (b"BCF\x02\x01", b"BCF\x02\x02")
_MAGIC_BYTES = 5
_SIZES = struct.Struct("<2I")
# CHROM, POS from 0, length on the reference, QUAL, how many entries of INFO and how
# many alleles, samples (24 bits) and FORMAT keys (8 bits).
_FIXED = struct.Struct("<3i4sHHI")
_FIXED_COLUMNS = 9
_LINES_AT_ONCE = 256
_MOST_DEFINITIONS = 1 << 20


def is_bcf(start: bytes) -> bool:
    """Whether the bytes are the beginning of a BCF of a version that is read here."""
    return start.startswith(MAGICS)


def as_text(chunks: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield the text of a BCF; every line before a fault comes before its refusal.

    Raises IntakeRefused without line and column.
    """
    stream = _Stream(chunks)
    stream.take(_MAGIC_BYTES)
    header = _header(stream, limits)
    yield header
    records = _Records(header)
    lines: list[bytes] = []
    try:
        while sizes := stream.take_or_end(_SIZES.size):
            shared_size, samples_size = _SIZES.unpack(sizes)
            if shared_size + samples_size > limits.line_bytes:
                raise refusal(
                    "line-length",
                    f"expected records of at most {limits.line_bytes} bytes, got one "
                    f"of {shared_size + samples_size}",
                )
            shared, samples = stream.take(shared_size), stream.take(samples_size)
            lines.append(records.line(shared, samples))
            if len(lines) >= _LINES_AT_ONCE or samples_size > 1 << 16:
                yield b"\n".join([*lines, b""])
                lines = []
    except Unsound as error:
        yield b"\n".join([*lines, b""])
        raise refusal("bcf", f"expected a sound BCF record, got {error}") from error
    except IntakeRefused:
        yield b"\n".join([*lines, b""])
        raise
    yield b"\n".join([*lines, b""])


class _Stream:
    """Bytes of the unpacked file, in pieces of the size that is asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._pending = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return so many bytes; refuse a file that ends before."""
        if len(self._pending) - self._at < size:
            pieces = [self._pending[self._at :]]
            missing = size - len(pieces[0])
            while missing > 0:
                chunk = next(self._chunks, b"")
                if not chunk:
                    raise refusal(
                        "truncated",
                        "expected more bytes, got the end of the BCF inside its header "
                        "or a record: it was cut short",
                    )
                pieces.append(chunk)
                missing -= len(chunk)
            self._pending, self._at = b"".join(pieces), 0
        self._at += size
        return self._pending[self._at - size : self._at]

    def take_or_end(self, size: int) -> bytes:
        """Return so many bytes, or none at the end of the file."""
        if self._at == len(self._pending):
            self._pending, self._at = next(self._chunks, b""), 0
        return self.take(size) if self._pending else b""


def _header(stream: _Stream, limits: Limits) -> bytes:
    (size,) = struct.unpack("<I", stream.take(4))
    if size > limits.header_bytes:
        raise refusal(
            "header-length",
            f"expected a header of at most {limits.header_bytes} bytes, got {size}",
        )
    text = stream.take(size).rstrip(b"\0")
    if not text.startswith(b"##fileformat=VCFv"):
        raise refusal(
            "bcf", "expected ##fileformat=VCFv4 as the first line of the BCF's header"
        )
    return text if text.endswith(b"\n") else text + b"\n"


class _Records:
    """Turns the records of one BCF into lines."""

    def __init__(self, header: bytes) -> None:
        self._contigs: dict[int, bytes] = {}
        self._names: dict[int, bytes] = {}
        numbers: dict[bytes, int] = {}
        self._define(self._names, numbers, b"PASS", None)
        contig_numbers: dict[bytes, int] = {}
        lines = header.split(b"\n")
        for line in lines:
            kind, _, value = line[2:].partition(b"=")
            if not line.startswith(b"##") or not value.startswith(b"<"):
                continue
            if kind in (b"FILTER", b"INFO", b"FORMAT"):
                self._define(self._names, numbers, *_identity(kind, value))
            elif kind == b"contig":
                self._define(self._contigs, contig_numbers, *_identity(kind, value))
        columns = lines[-2].count(b"\t") + 1
        self._samples = max(columns - _FIXED_COLUMNS, 0)
        # VCF 4.4, section 1.6.2: the first allele has a phase of its own.
        self._cells = Cells(has_first_phase=header[:20] >= b"##fileformat=VCFv4.4")

    def line(self, shared: bytes, samples: bytes) -> bytes:
        """Return a record as text, without a line end."""
        if len(shared) < _FIXED.size:
            raise Unsound("too few bytes")
        chrom, pos, _, qual, infos, alleles, counts = _FIXED.unpack_from(shared)
        cursor = Cursor(shared, _FIXED.size)
        if not alleles:
            raise Unsound("no REF")
        if counts & 0xFFFFFF != self._samples:
            raise Unsound("another number of samples than its header has")
        fields = [
            self._contig(chrom),
            b"%d" % (pos + 1),
            cursor.text() or b".",
            cursor.text(),
            b",".join(cursor.text() for _ in range(alleles - 1)) or b".",
            b"." if qual == MISSING_FLOAT else float_text(struct.unpack("<f", qual)[0]),
            b";".join(self._name(number) for number in cursor.integers()) or b".",
            b";".join(self._info(cursor) for _ in range(infos)) or b".",
        ]
        cursor.check_end()
        return b"\t".join([*fields, *self._sample_columns(samples, counts >> 24)])

    def _sample_columns(self, data: bytes, count: int) -> list[bytes]:
        if not self._samples:
            return []
        cursor = Cursor(data, 0)
        if not count:
            cursor.check_end()
            return [b"."] * (self._samples + 1)
        keys: list[bytes] = []
        columns: list[list[bytes]] = []
        for _ in range(count):
            key = self._name(cursor.integer())
            kind, size = cursor.descriptor()
            rows = cursor.rows(kind, size, self._samples)
            keys.append(key)
            columns.append(self._cells.texts(rows, kind, size, is_gt=key == b"GT"))
        cursor.check_end()
        if len(columns) == 1:
            return [keys[0], *columns[0]]
        return [b":".join(keys), *map(b":".join, zip(*columns, strict=True))]

    def _info(self, cursor: Cursor) -> bytes:
        key = self._name(cursor.integer())
        kind, size = cursor.descriptor()
        if not size:
            return key
        (row,) = cursor.rows(kind, size, 1)
        return key + b"=" + self._cells.text(row, kind, size)

    def _contig(self, number: int) -> bytes:
        name = self._contigs.get(number)
        if name is None:
            raise Unsound("a contig that its header does not declare")
        return name

    def _name(self, number: int) -> bytes:
        name = self._names.get(number)
        if name is None:
            raise Unsound("a key or filter that its header does not declare")
        return name

    @staticmethod
    def _define(
        names: dict[int, bytes],
        numbers: dict[bytes, int],
        name: bytes,
        index: int | None,
    ) -> None:
        if name in numbers and index in (None, numbers[name]):
            return
        index = len(numbers) if index is None else index
        if name in numbers or index in names or index > _MOST_DEFINITIONS:
            raise refusal(
                "bcf", "expected one IDX for each key and contig of the BCF's header"
            )
        names[index], numbers[name] = name, index


def _identity(kind: bytes, value: bytes) -> tuple[bytes, int | None]:
    """Return ID and IDX of a header line."""
    try:
        # Latin-1 gives every byte back as it came.
        pairs = read_pairs(kind.decode(), value.decode("latin-1"))
    except PairsInvalid as error:
        raise refusal("bcf", f"{error} of the BCF's header") from error
    name, index = pairs.get("ID").encode("latin-1"), pairs.get("IDX")
    if CONTROL_CHARACTER.search(name):
        raise refusal("control-character", "expected IDs of visible characters")
    if not index:
        return name, None
    if not index.isascii() or not index.isdigit() or len(index) > 9:
        raise refusal("bcf", "expected whole numbers as IDX of the BCF's header")
    return name, int(index)
