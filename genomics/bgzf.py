"""Pack text into BGZF blocks, and tell where in the file each byte of it went.

Blocks hold `BLOCK_BYTES` of text, the last of a run perhaps less; runs can be put
behind each other as they are. Level 1 is ISA-L's, which is many times faster than any
level of zlib; 2 to 9 are zlib's. Source: SAM specification, section 4.1.
"""

import struct
import zlib
from collections.abc import Iterator

from isal import igzip_lib, isal_zlib

# As bgzip: what stays below 64 KiB even when it does not pack.
BLOCK_BYTES = 0xFF00
# The empty block that ends a file.
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
FAST = 1

_HEAD = struct.Struct("<4sLBBH2sHH")
_TRAILER = struct.Struct("<LL")
_MAX_BLOCK = 1 << 16


def blocks(text: bytes | memoryview, level: int) -> Iterator[bytes]:
    """Yield the blocks of one run of text; none for no text."""
    view = memoryview(text)
    for start in range(0, len(view), BLOCK_BYTES):
        yield block(view[start : start + BLOCK_BYTES], level)


def block(text: bytes | memoryview, level: int) -> bytes:
    """Return one block of up to `BLOCK_BYTES` of text."""
    packed = _deflate(text, level)
    if _HEAD.size + len(packed) + _TRAILER.size > _MAX_BLOCK:
        packed = _deflate(text, 0)
    size = _HEAD.size + len(packed) + _TRAILER.size
    head = _HEAD.pack(b"\x1f\x8b\x08\x04", 0, 0, 255, 6, b"BC", 2, size - 1)
    return head + packed + _TRAILER.pack(isal_zlib.crc32(text), len(text))


def _deflate(text: bytes | memoryview, level: int) -> bytes:
    if level == FAST:
        return igzip_lib.compress(text, 1, igzip_lib.COMP_DEFLATE)
    packer = zlib.compressobj(level, zlib.DEFLATED, wbits=-15)
    return packer.compress(text) + packer.flush()
