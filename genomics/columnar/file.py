"""The file of a column store: blocks of records, each of sections, and a directory.

    magic | blocks | directory (deflated JSON) | its sizes, 16 bytes | magic

A block begins with sizes and digests of its sections, so that a reader reads and
inflates only what it needs: those that all samples share, genotype codes and missing
values of a group of samples, text of a sample, and the same text of all samples, which
is faster to read for most of them than sample by sample. The directory holds the
digests of these beginnings: whoever knows the directory's digest knows that what is
read is what was written. Numbers are little-endian. What to make of it is left to
`cells`, `writer` and `cutting`.
"""

import hashlib
import itertools
import json
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self, cast

from isal import igzip_lib

from genomics.errors import BuildFailed
from genomics.lines import Version

VERSION = 5
SITES = 512  # records of a block, at most
GENOTYPE_SITES = 256  # of one that begins with nothing but genotypes
GROUP = 512  # samples of a group
ROWS = 16  # records whose text of all samples lies together

# Bits of a record's flags: a cut may copy it; its cells have text. Others: `codes`.
IS_FAST, HAS_TEXT = 1, 4

# Sections that all samples share, by their place in a block.
RECORDS, FORMS, SITES_TEXT, DETAILS = range(4)
_SHARED = 4
# Kinds of sections that each group of samples has.
CODES, MISSING = range(2)
_KINDS = 2

_MAGIC = b"GMCOLS01"
_TAIL = struct.Struct("<2Q")  # sizes of the directory, packed and plain
LEVEL = 3

_DIGEST_BYTES = 16
# Deflate packs no tighter; sizes that say otherwise are damaged.
_MOST_PACKED = 1032
# The stub of isal takes the class of its errors for one of them.
_PACKING_ERROR = cast(type[Exception], igzip_lib.IsalError)
_UNREADABLE = (ValueError, KeyError, TypeError, struct.error, _PACKING_ERROR)

Read = Callable[[int, int], bytes]  # offset, size

# Packed and plain size of a section, the beginning of the SHA-256 of it packed.
_SECTION = struct.Struct(f"<2I{_DIGEST_BYTES}s")
# POS, POS + length of REF - 1, number of FORMAT, ALT alleles (255 for more), flags.
RECORD = struct.Struct("<2iH2B")


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """Where a block lies and which records it holds.

    `first_pos` to `last_pos` are POS (1-based); `last_end` is the last base of any REF;
    a block that `reaches_far` has alleles that may touch other bases as well, one that
    `has_mates` has records that others belong to (`genomics.mates`), and one that
    `names_sets` has a genotype whose phase set has a name.
    `first_record` is the number of the first one in the store, from 0.
    """

    contig: str
    first_pos: int
    last_pos: int
    last_end: int
    records: int
    first_record: int
    reaches_far: bool
    offset: int = 0
    sections: int = 0
    sha256: str = ""  # of the beginning
    has_mates: bool = False
    names_sets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What a column store holds."""

    version: int
    vcf_version: Version  # of the upload
    header_lines: int
    samples: tuple[str, ...]
    contig_lengths: dict[str, int | None]
    blocks: tuple[BlockPlace, ...]


class Records(NamedTuple):
    """What a block holds of each of its records."""

    pos: tuple[int, ...]
    end: tuple[int, ...]  # POS + length of REF - 1
    form: tuple[int, ...]
    alts: tuple[int, ...]  # 255 for more
    flags: tuple[int, ...]


class Block:
    """The sections of one block, inflated when they are asked for.

    RECORDS has a `RECORD` for each. SITES_TEXT has a line for each record: ID, REF,
    ALT, FILTER; DETAILS one of QUAL, INFO. FORMS has the distinct FORMAT strings that
    `form` numbers. CODES and MISSING are (records x samples) of bytes; a bit of
    MISSING stands for a key of FORMAT, the lowest for GT.
    """

    def __init__(self, place: BlockPlace, read: Read, samples: int) -> None:
        self.place = place
        self._read = read
        self._first_text = _SHARED + _KINDS * groups_of(samples)
        self._first_rows = self._first_text + samples
        self._loaded: tuple[int, bytes] | None = None  # offset
        head = read(place.offset, place.sections * _SECTION.size)
        if hashlib.sha256(head).hexdigest() != place.sha256:
            raise _damaged()
        self._packed, self._sizes, self._digests = zip(
            *_SECTION.iter_unpack(head), strict=True
        )
        start = place.offset + len(head)
        self._ends = list(itertools.accumulate(self._packed, initial=start))[1:]

    def records(self) -> Records:
        """Return the table of the records."""
        columns = zip(*RECORD.iter_unpack(self.section(RECORDS)), strict=True)
        return Records(*columns)

    def section(self, number: int) -> bytes:
        """Return a section by its place; empty when it has nothing."""
        size, packed = self._sizes[number], self._packed[number]
        if not size:
            return b""
        data = self._packed_bytes(self._ends[number] - packed, packed)
        if _digest(data) != self._digests[number]:
            raise _damaged()
        return igzip_lib.decompress(data, igzip_lib.DECOMP_DEFLATE, 15, size)

    def load_groups(self) -> None:
        """Read what all groups of samples have at once, for most will be asked for."""
        if self._loaded is None:
            start = self._ends[_SHARED - 1]
            size = self._ends[self._first_text - 1] - start
            self._loaded = start, self._read(start, size)

    def _packed_bytes(self, offset: int, size: int) -> bytes:
        if self._loaded is not None:
            start, data = self._loaded
            if start <= offset and offset + size <= start + len(data):
                return data[offset - start : offset - start + size]
        return self._read(offset, size)

    def of_group(self, kind: int, group: int) -> bytes:
        """Return a section of a group of samples; empty when there is none."""
        return self.section(_SHARED + group * _KINDS + kind)

    def of_sample(self, sample: int) -> bytes:
        """Return the text of a sample, a line for each record; not of every block."""
        return self.section(self._first_text + sample)

    def of_all(self, chunk: int) -> bytes:
        """Return the text of all samples, a line for each record, of `ROWS` records."""
        return self.section(self._first_rows + chunk)


def groups_of(samples: int) -> int:
    """Return how many groups so many samples make."""
    return -(-samples // GROUP)


def encode_block(
    shared: Sequence[bytes],
    groups: Sequence[tuple[bytes, bytes]],
    texts: Sequence[bytes],
) -> tuple[bytes, list[bytes]]:
    """Return the beginning of a block and its sections, packed.

    `groups` have codes and missing values; `texts` has one for each sample and behind
    them those of all samples, or none.
    """
    assert len(shared) == _SHARED, "a block has these sections in common"
    sections = [*shared, *(section for group in groups for section in group), *texts]
    packed = [
        igzip_lib.compress(section, LEVEL, igzip_lib.COMP_DEFLATE) if section else b""
        for section in sections
    ]
    head = b"".join(
        _SECTION.pack(len(part), len(section), _digest(part))
        for part, section in zip(packed, sections, strict=True)
    )
    return head, packed


def _version(value: dict[str, list[int]]) -> Version:
    # Stores of an older kind do not say it, and are not read further.
    major, minor = value.get("vcf_version", [4, 3])
    return major, minor


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_DIGEST_BYTES]


def _damaged() -> BuildFailed:
    return BuildFailed(
        "store", "expected the columns as intake left them, they changed"
    )


class Writer:
    """Writes a column store block by block; `finish` makes it readable."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: list[BlockPlace] = []
        self._offset = file.write(_MAGIC)

    def write(self, place: BlockPlace, head: bytes, sections: Sequence[bytes]) -> None:
        """Add a block; where it lies is filled in."""
        self._places.append(
            replace(
                place,
                offset=self._offset,
                sections=len(sections),
                sha256=hashlib.sha256(head).hexdigest(),
            )
        )
        self._offset += self._file.write(b"".join([head, *sections]))

    def finish(
        self,
        *,
        vcf_version: Version,
        header_lines: int,
        samples: Sequence[str],
        contig_lengths: Mapping[str, int | None],
    ) -> str:
        """Write the directory; return its SHA-256 (hex)."""
        value = {
            "version": VERSION,
            "vcf_version": list(vcf_version),
            "header_lines": header_lines,
            "samples": list(samples),
            "contig_lengths": list(contig_lengths.items()),
            "blocks": [astuple(place) for place in self._places],
        }
        text = json.dumps(value, ensure_ascii=True).encode()
        packed = igzip_lib.compress(text, LEVEL, igzip_lib.COMP_DEFLATE)
        self._file.write(packed + _TAIL.pack(len(packed), len(text)) + _MAGIC)
        return hashlib.sha256(text).hexdigest()


class ColumnStore:
    """An open column store; a context manager."""

    def __init__(self, path: Path) -> None:
        self.sha256 = ""  # of the directory
        self._file = path.open("rb")
        try:
            self.directory = self._read_directory()
        except _UNREADABLE as error:
            self._file.close()
            raise BuildFailed("store", "expected a whole column store") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def block(self, place: BlockPlace) -> Block:
        """Return a block of the directory."""
        return Block(place, self._read, len(self.directory.samples))

    def has_text(self, place: BlockPlace) -> bool:
        """Whether samples have text of their own in a block."""
        groups = groups_of(len(self.directory.samples))
        return place.sections > _SHARED + groups * _KINDS

    def _read(self, offset: int, size: int) -> bytes:
        # Not seek and read: processes that share the file share its position.
        data = os.pread(self._file.fileno(), size, offset)
        if len(data) != size:
            raise BuildFailed("store", "expected a whole column store, it is cut off")
        return data

    def _read_directory(self) -> Directory:
        end = _TAIL.size + len(_MAGIC)
        size = os.fstat(self._file.fileno()).st_size
        if size < end:
            raise ValueError("too short")
        tail = self._read(size - end, end)
        if not tail.endswith(_MAGIC):
            raise ValueError("no end")
        packed, plain = _TAIL.unpack_from(tail)
        if packed > size - end or plain > packed * _MOST_PACKED:
            raise ValueError("no directory")
        text = igzip_lib.decompress(
            self._read(size - end - packed, packed),
            igzip_lib.DECOMP_DEFLATE,
            15,
            plain,
        )
        self.sha256 = hashlib.sha256(text).hexdigest()
        value = json.loads(text)
        return Directory(
            version=value["version"],
            vcf_version=_version(value),
            header_lines=value["header_lines"],
            samples=tuple(value["samples"]),
            contig_lengths=dict(value["contig_lengths"]),
            blocks=tuple(BlockPlace(*row) for row in value["blocks"]),
        )
