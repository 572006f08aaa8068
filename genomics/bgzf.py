"""Pack text into BGZF blocks, and tell where in the file each byte of it went.

Blocks hold `BLOCK_BYTES` of text, the last of a run perhaps less; runs can be put
behind each other as they are. Level 1 is ISA-L's for text without NUL, many times
faster than any level of zlib, which packs all else. Any process packs a text in the
same way. Source: SAM specification, section 4.1.
"""

import functools
import struct
import zlib
from collections.abc import Callable, Iterator

from isal import isal_zlib

# As bgzip: what stays below 64 KiB even when it does not pack.
BLOCK_BYTES = 0xFF00
# The empty block that ends a file.
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
FAST = 1

_HEAD = struct.Struct("<4sLBBH2sHH")
_TRAILER = struct.Struct("<LL")
_MAX_BLOCK = 1 << 16
# Without a dictionary ISA-L 2.32.1 takes the third byte for one that is left over in a
# register, an address on the stack: one block in ten thousand is packed otherwise in
# another process (isal_deflate_icf_body_hash_hist, .write_first_byte). With one it does
# not. This is found nowhere in a text without NUL, so that no block refers to it.
_NOWHERE = bytes(8)

Pack = Callable[[memoryview], bytes]


def blocks(text: bytes, level: int, size: int | None = None) -> Iterator[bytes]:
    """Yield the blocks of one run of text, or of the first `size` bytes of it."""
    pack, view = _packer(text, level), memoryview(text)[:size]
    for start in range(0, len(view), BLOCK_BYTES):
        yield _block(view[start : start + BLOCK_BYTES], pack)


def block(text: bytes, level: int) -> bytes:
    """Return one block of up to `BLOCK_BYTES` of text."""
    return _block(memoryview(text), _packer(text, level))


def _block(text: memoryview, pack: Pack) -> bytes:
    packed = pack(text)
    if _HEAD.size + len(packed) + _TRAILER.size > _MAX_BLOCK:
        packed = _pack(text, level=0)
    size = _HEAD.size + len(packed) + _TRAILER.size
    head = _HEAD.pack(b"\x1f\x8b\x08\x04", 0, 0, 255, 6, b"BC", 2, size - 1)
    return head + packed + _TRAILER.pack(isal_zlib.crc32(text), len(text))


def _packer(text: bytes, level: int) -> Pack:
    if level == FAST and b"\0" not in text:
        return _pack_fast
    return functools.partial(_pack, level=level)


def _pack_fast(text: memoryview) -> bytes:
    packer = isal_zlib.compressobj(FAST, isal_zlib.DEFLATED, -15, zdict=_NOWHERE)
    return packer.compress(text) + packer.flush()


def _pack(text: memoryview, *, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, wbits=-15)
    return packer.compress(text) + packer.flush()
