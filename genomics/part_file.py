"""The file of one share of a release: what has been cut, on its way to be joined.

    magic | size of the head, 8 bytes | head (JSON) | windows ...
    window: table | sizes of the blocks (both int64, little-endian) | blocks

The head says which share it is, of which job and which pieces, what its records make
use of, and how long each window is. Sealing it is left to `genomics.part_cut`.
"""

import dataclasses
import json
import os
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from genomics import numbers
from genomics.errors import BuildFailed, JobInvalid
from genomics.header import Usage
from genomics.jsonfields import (
    JSON,
    Fields,
    integer_of,
    list_of,
    text_of,
    tuple_of,
)
from genomics.native import indexing
from genomics.parts import Body, Extent, Part

_MAGIC = b"GMPART03"
_SIZE = struct.Struct("<Q")
_READ_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Whose share it is: which of how many, and what they must have in common."""

    number: int
    count: int
    job: str  # SHA-256 of the job's essence
    software: dict[str, str]


def pack(label: Label, body: Body) -> Iterator[bytes]:
    """Yield the file of a share."""
    head = json.dumps(_head(label, body), ensure_ascii=True).encode("ascii")
    yield _MAGIC + _SIZE.pack(len(head)) + head
    for part in body.parts:
        yield numbers.pack(part.table)
        yield numbers.pack(part.sizes)
        with part.path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                yield data


def unpack(path: Path) -> tuple[Label, Body]:
    """Return what a share's file holds; its parts stay in that file.

    Raises BuildFailed for a file that is not one.
    """
    with path.open("rb") as file:
        try:
            return _read(file, path)
        except (JobInvalid, ValueError, struct.error) as error:
            raise BuildFailed("part", "expected a whole part of a release") from error


def _head(label: Label, body: Body) -> dict[str, JSON]:
    usage = body.usage
    return {
        "label": dataclasses.asdict(label),
        "extent": dataclasses.asdict(body.extent),
        "usage": {
            "contigs": [*usage.contigs],
            "filters": [*sorted(usage.filters)],
            "infos": [*sorted(usage.infos)],
            "formats": [*sorted(usage.formats)],
            "fractions": [*sorted(usage.fractions)],
        },
        "records_in": body.records_in,
        "contig_lengths": [list(item) for item in body.contig_lengths.items()],
        "windows": [
            [part.contig, part.records, len(part.sizes), part.withheld, part.closed]
            for part in body.parts
        ],
    }


def _read(file: BinaryIO, path: Path) -> tuple[Label, Body]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not a part")
    (size,) = _SIZE.unpack(file.read(_SIZE.size))
    if size > path.stat().st_size:
        raise ValueError("the head is cut off")
    head = Fields(json.loads(file.read(size)), "part")
    label, extent = _label(head.take("label")), _extent(head.take("extent"))
    usage, records_in = _usage(head.take("usage")), head.integer("records_in")
    lengths = list_of(head.take("contig_lengths"), "contig lengths")
    windows = list_of(head.take("windows"), "windows")
    head.finish()
    body = Body(
        parts=[_window(file, path, window) for window in windows],
        usage=usage,
        extent=extent,
        records_in=records_in,
        contig_lengths=dict(_length(item) for item in lengths),
    )
    if file.read(1):
        raise ValueError("more than the windows")
    return label, body


def _label(value: JSON) -> Label:
    fields = Fields(value, "label of a part")
    software = fields.take("software")
    if not isinstance(software, dict):
        raise JobInvalid("expected an object of versions as software")
    label = Label(
        number=fields.integer("number"),
        count=fields.integer("count"),
        job=fields.text("job"),
        software={name: str(version) for name, version in software.items()},
    )
    fields.finish()
    return label


def _extent(value: JSON) -> Extent:
    fields = Fields(value, "extent of a part")
    extent = Extent(
        plan=fields.text("plan"),
        first=fields.integer("first"),
        last=fields.integer("last"),
        total=fields.integer("total"),
    )
    fields.finish()
    return extent


def _usage(value: JSON) -> Usage:
    fields = Fields(value, "usage of a part")
    usage = Usage(
        contigs=dict.fromkeys(fields.texts("contigs")),
        filters=set(fields.texts("filters")),
        infos=set(fields.texts("infos")),
        formats=set(fields.texts("formats")),
        fractions=set(fields.texts("fractions")),
    )
    fields.finish()
    return usage


def _length(value: JSON) -> tuple[str, int | None]:
    name, length = tuple_of(value, "contig length", 2)
    length = None if length is None else integer_of(length, "contig length")
    return text_of(name, "contig"), length


def _window(file: BinaryIO, path: Path, value: JSON) -> Part:
    contig, *counts = tuple_of(value, "window", 5)
    records, blocks, withheld, closed = (integer_of(one, "window") for one in counts)
    table, sizes = _numbers(file, records * indexing.COLUMNS), _numbers(file, blocks)
    start = file.tell()
    size = sum(sizes)
    if min(sizes, default=1) <= 0:
        raise ValueError("a window is cut off")
    if file.seek(0, 2) < start + size:
        raise ValueError("a window is cut off")
    file.seek(start + size)
    return Part(
        contig=text_of(contig, "contig"),
        path=path,
        table=table,
        sizes=sizes,
        withheld=withheld,
        closed=closed,
        start=start,
    )


def _numbers(file: BinaryIO, count: int) -> "array[int]":
    left = os.fstat(file.fileno()).st_size - file.tell()
    if numbers.BYTES * count > left:
        raise ValueError("a window is cut off")
    return numbers.unpack(file.read(numbers.BYTES * count))
