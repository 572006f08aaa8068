r"""Unpack an upload chunk by chunk: plain, gzip of any number of members, or BGZF.

What comes out is VCF, or BCF as `bcf` reads it.

What the file is called never matters, only its first bytes do. The digest is of the
bytes as uploaded. What the text says is left to `text`, `header` and `records`.

A BGZF block is a gzip member with its own size in an extra field, BC:

    1f8b 0804 00000000 00ff 0600 4243 0200 <size - 1> <deflate> <CRC-32> <plain size>

Source: RFC 1952; SAM specification v1.6, section 4.1.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal

from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads import bcf
from genomics.uploads.refusal import Code, refusal

CHUNK_BYTES = 1 << 20

_SOUGHT_BYTES = 1 << 30

_GZIP_MAGIC = b"\x1f\x8b"
_BGZF_MAGIC = b"\x1f\x8b\x08\x04"
_BGZF_FIXED = struct.Struct("<4sLBBH")  # magic, time, extra flags, system, extra length
_BGZF_TRAILER = struct.Struct("<LL")  # CRC-32 and size of the plain bytes
_BGZF_MAX_PLAIN = 1 << 16
_BGZF_SMALLEST = 28  # the empty block that ends a file

_VCF_MAGIC = b"##fileformat=VCFv"
_OTHER_FORMATS: tuple[tuple[bytes, Code, str], ...] = (
    (b"BCF\x04", "bcf", "BCF of version 1: convert it with `bcftools view -O z`"),
    (b"BAM\x01", "bam", "BAM, which holds reads"),
    (b"CRAM", "cram", "CRAM, which holds reads"),
    (b"@HD\t", "bam", "SAM, which holds reads"),
    (b"TBI\x01", "index", "an index (tbi): upload the VCF alone, it is indexed here"),
    (b"CSI\x01", "index", "an index (csi): upload the VCF alone, it is indexed here"),
    (b"PK\x03\x04", "archive", "a zip archive: upload the VCF in it"),
    (b"BZh", "archive", "bzip2: repack it with bgzip"),
    (b"\xfd7zXZ", "archive", "xz: repack it with bgzip"),
    (b"\x28\xb5\x2f\xfd", "archive", "zstd: repack it with bgzip"),
    (b"7z\xbc\xaf", "archive", "a 7z archive: upload the VCF in it"),
    (b"crypt4gh", "crypt4gh", "an encrypted file (Crypt4GH): decrypt it first"),
)


class Unpacker:
    """Reads one upload once, from its start to its end."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.bytes_read = 0
        self.bytes_out = 0
        self.packing: Literal["plain", "gzip", "BGZF"] = "plain"
        self._file = file
        self._limits = limits
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Return the digest of the bytes read so far, in hex."""
        return self._sha256.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the plain bytes, each chunk of at most about 1 MiB.

        All bytes before a fault are yielded before it is raised, so that the caller
        knows the line it is in. Raises IntakeRefused without line and column.
        """
        head = self._read()
        if not head:
            raise refusal("empty", "expected a VCF, got an empty file")
        _refuse_other_format(head)
        if not head.startswith(_GZIP_MAGIC):
            plain = self._plain(head)
        elif _bgzf_block_size(head) is not None:
            self.packing = "BGZF"
            plain = self._bgzf(head)
        else:
            self.packing = "gzip"
            plain = self._gzip(head)
        is_first = True
        for chunk in plain:
            if not chunk:
                continue  # to a reader, no bytes mean the end of the file
            if is_first:
                _refuse_other_format(chunk)
                _refuse_other_text(chunk)
            is_first = False
            self._count(len(chunk))
            yield chunk

    def damage(self, chunks: Iterator[bytes]) -> IntakeRefused | None:
        """Return the fault of the packing, if the rest of the chunks shows one.

        A gzip member is checked at its end alone, so damage is met as odd text first,
        and the text would be blamed for it. Looks at no more than 1 GiB. BGZF checks
        each block before its text is seen.
        """
        if self.packing != "gzip":
            return None
        end = self.bytes_out + _SOUGHT_BYTES
        try:
            while self.bytes_out < end and next(chunks, b""):
                pass
        except IntakeRefused as refused:
            if refused.code in ("crc", "corrupt"):
                return refused
        return None

    def _read(self) -> bytes:
        data = self._file.read(CHUNK_BYTES)
        self._sha256.update(data)
        self.bytes_read += len(data)
        if self.bytes_read > self._limits.source_bytes:
            raise refusal(
                "too-large",
                f"expected a file of at most {self._limits.source_bytes} bytes, "
                "got a larger one",
            )
        return data

    def _count(self, size: int) -> None:
        self.bytes_out += size
        if self.bytes_out > self._limits.plain_bytes:
            raise refusal(
                "too-large",
                f"expected at most {self._limits.plain_bytes} bytes once unpacked, "
                "got more",
            )
        # Input is read ahead, so bytes_read is never less than what made this chunk.
        if self.bytes_out > self._limits.ratio * self.bytes_read:
            raise refusal(
                "ratio",
                f"expected at most {self._limits.ratio} bytes out of each packed one, "
                f"got {self.bytes_out} out of the first {self.bytes_read}",
            )

    def _plain(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield data
            data = self._read()

    def _gzip(self, data: bytes) -> Iterator[bytes]:
        while data:
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                data = data or self._read()
                is_end = not data
                before = member.copy()  # 10 us for every MiB
                try:
                    plain = member.decompress(data, CHUNK_BYTES)
                except zlib.error as error:
                    yield _until_fault(before, data)
                    raise self._gzip_fault(str(error)) from error
                data = member.unconsumed_tail
                if plain:
                    yield plain
                elif is_end and not member.eof:
                    raise self._truncated("inside a gzip member")
            data = member.unused_data or self._read()
            if len(data) == 1:
                data += self._read()
            if data and not data.startswith(_GZIP_MAGIC):
                raise refusal(
                    "trailing-data",
                    "expected a gzip member or the end of the file after a gzip "
                    f"member, got other bytes near byte {self.bytes_read}",
                )

    def _gzip_fault(self, says: str) -> IntakeRefused:
        place = f"up to byte {self.bytes_read} of the file"
        if "incorrect data check" in says or "incorrect length check" in says:
            return refusal(
                "crc", f"expected the checksum of the gzip member, got another, {place}"
            )
        return refusal("corrupt", f"expected gzip data, got none, {place}")

    def _truncated(self, where: str) -> IntakeRefused:
        return refusal(
            "truncated",
            f"expected more bytes, the file ends at byte {self.bytes_read} {where}: "
            "it was cut short",
        )

    def _bgzf(self, buffer: bytes) -> Iterator[bytes]:
        offset = start = 0  # of the block: in the buffer, and of the buffer in the file
        pending: list[bytes] = []
        last_size = -1
        try:
            while True:
                if len(buffer) - offset < _BGZF_MAX_PLAIN:
                    # No block is larger than that, so one is whole after this, unless
                    # the file is cut.
                    start += offset
                    buffer, offset = buffer[offset:], 0
                    while len(buffer) < _BGZF_MAX_PLAIN and (more := self._read()):
                        buffer += more
                    if pending:
                        yield b"".join(pending)
                        pending = []
                if offset == len(buffer):
                    break
                plain, size = self._block(buffer, offset, start + offset)
                last_size = len(plain)
                offset += size
                if plain:
                    pending.append(plain)
                if len(pending) * _BGZF_MAX_PLAIN >= CHUNK_BYTES:
                    yield b"".join(pending)
                    pending = []
            if last_size != 0:
                raise refusal(
                    "truncated",
                    "expected the empty end block of BGZF (28 bytes), got the end of "
                    f"the file at byte {self.bytes_read}: it may be cut short, or the "
                    "program that wrote it leaves the block out; if the file is whole, "
                    "pack it again with `gzip -dc FILE | bgzip`",
                )
        except IntakeRefused as refused:
            if pending:
                yield b"".join(pending)
            raise refused from refused.__cause__

    def _block(self, buffer: bytes, offset: int, place: int) -> tuple[bytes, int]:
        """Return the plain bytes of the block at `offset` and its packed size."""
        window = buffer[offset : offset + _BGZF_MAX_PLAIN]
        size = _bgzf_block_size(window)
        if size is None:
            if len(window) < _BGZF_SMALLEST:
                raise self._truncated("inside the head of a BGZF block")
            raise _corrupt(place, window)
        if len(window) < size:
            raise self._truncated("inside a BGZF block")
        head = _BGZF_FIXED.size + int.from_bytes(window[10:12], "little")
        trailer = size - _BGZF_TRAILER.size
        inflater = zlib.decompressobj(wbits=-15)
        try:
            plain = inflater.decompress(window[head:trailer], _BGZF_MAX_PLAIN + 1)
        except zlib.error as error:
            raise _corrupt(place) from error
        # A deflate stream that ends early would hide bytes that no checksum covers.
        if not inflater.eof or inflater.unused_data or len(plain) > _BGZF_MAX_PLAIN:
            raise _corrupt(place)
        crc, plain_size = _BGZF_TRAILER.unpack_from(window, trailer)
        if zlib.crc32(plain) != crc or len(plain) != plain_size:
            raise refusal(
                "crc",
                f"expected the checksum of the BGZF block at byte {place}, "
                "got another: the file was changed or damaged",
            )
        return plain, size


def _until_fault(member: "zlib._Decompress", data: bytes) -> bytes:
    """Return what can be unpacked before the byte at which zlib gives up."""
    plain = bytearray()
    for at in range(len(data)):
        try:
            plain += member.decompress(data[at : at + 1])
        except zlib.error:
            break
    return bytes(plain)


def _corrupt(place: int, start: bytes = b"") -> IntakeRefused:
    got = "other bytes"
    if start.startswith(_GZIP_MAGIC):
        got = (
            "plain gzip: a file in BGZF and one in gzip were joined; pack them again "
            "with `gzip -dc FILE | bgzip`"
        )
    return refusal("corrupt", f"expected a BGZF block at byte {place}, got {got}")


def _bgzf_block_size(head: bytes) -> int | None:
    """Return the packed size that a BGZF block states, None when it is not one."""
    if len(head) < _BGZF_FIXED.size or not head.startswith(_BGZF_MAGIC):
        return None
    *_, extra_length = _BGZF_FIXED.unpack_from(head)
    extra = head[_BGZF_FIXED.size : _BGZF_FIXED.size + extra_length]
    while len(extra) >= 4:
        name, length = extra[:2], int.from_bytes(extra[2:4], "little")
        if name == b"BC" and length == 2 and len(extra) >= 6:
            return int.from_bytes(extra[4:6], "little") + 1
        extra = extra[4 + length :]
    return None


def _refuse_other_format(head: bytes) -> None:
    for magic, code, name in _OTHER_FORMATS:
        if head.startswith(magic):
            raise refusal(
                code, f"expected VCF or BCF, plain or in gzip or BGZF, got {name}"
            )


def _refuse_other_text(head: bytes) -> None:
    if any(magic.startswith(head[: len(magic)]) for magic in bcf.MAGICS):
        return
    # A first chunk may be short: gzip members can be of any size.
    if not _VCF_MAGIC.startswith(head[: len(_VCF_MAGIC)]):
        raise refusal(
            "not-vcf",
            "expected ##fileformat=VCFv4 at the start of the first line, got "
            + (
                "a byte-order mark"
                if head.startswith(b"\xef\xbb\xbf")
                else "other text"
            ),
        )
