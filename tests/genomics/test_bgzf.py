"""Blocks hold their text, and any process makes the same ones of it."""

import gzip
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genomics import bgzf

LEVELS = [bgzf.FAST, 6]
# Begins as every block does that a few records fill: what stands there comes again.
PACK = """
import hashlib, random
from genomics import bgzf
drawn = random.Random(1)
packed = hashlib.sha256()
for _ in range(2000):
    text = bytes(drawn.choices(range(33, 127), k=12))
    packed.update(bgzf.block(text + b"0|0" + text, bgzf.FAST))
print(packed.hexdigest())
"""


@pytest.mark.parametrize("level", LEVELS)
@given(text=st.binary(max_size=2000), times=st.integers(1, 100))
@example(text=b"\0" * 9, times=1)
@example(text=b"\0abc\0\0\0\0\0abc", times=40_000)
@example(text=b"0|0\t", times=200_000)
def test_blocks_come_apart_to_their_text(level: int, text: bytes, times: int) -> None:
    whole = text * times
    packed = b"".join(bgzf.blocks(whole, level))
    assert gzip.decompress(packed + bgzf.END) == whole


@pytest.mark.parametrize("level", LEVELS)
def test_only_the_beginning_of_a_text_is_packed_where_asked(level: int) -> None:
    text = b"0|1\t" * 50_000
    for size in (0, 1, bgzf.BLOCK_BYTES, bgzf.BLOCK_BYTES + 1, len(text)):
        packed = b"".join(bgzf.blocks(text, level, size))
        assert packed == b"".join(bgzf.blocks(text[:size], level))


def test_no_block_needs_what_stood_before_it() -> None:
    """Each is inflated by itself, with no dictionary."""
    text = b"".join(b"%d\t0|1\n" % number for number in range(30_000))
    found = b""
    for packed in bgzf.blocks(text, bgzf.FAST):
        inflating = zlib.decompressobj(wbits=31)
        found += inflating.decompress(packed)
        assert inflating.eof
    assert found == text


def test_any_process_packs_a_text_in_the_same_way() -> None:
    """The library alone does not: it hashes an address, new in each process."""
    made = {
        subprocess.run(
            [sys.executable, "-c", PACK],
            env={"PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            check=True,
        ).stdout
        for _ in range(6)
    }
    assert len(made) == 1
