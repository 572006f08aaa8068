"""Uploads whose packing is damaged: cut, changed, or followed by something else."""

import gzip
import struct
import zlib
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics.errors import IntakeRefused
from tests.genomics.uploads import (
    END_BLOCK,
    HEADER,
    RECORDS,
    bgzf,
    store_path,
    store_records,
    take_in,
    vcf,
)

TEXT = vcf()
BLOCK = 150
BGZF = bgzf(TEXT, block=BLOCK)
GZIP = gzip.compress(TEXT)


def refused(tmp_path: Path, upload: bytes) -> IntakeRefused:
    with pytest.raises(IntakeRefused) as error:
        take_in(tmp_path, upload)
    assert not list(store_path(tmp_path).parent.iterdir())
    return error.value


def place(plain: bytes) -> tuple[int, int]:
    """Return line and column behind these bytes, both from 1."""
    return plain.count(b"\n") + 1, plain[plain.rfind(b"\n") + 1 :].count(b"\t") + 1


def test_bgzf_without_its_end_block_is_truncated(tmp_path: Path) -> None:
    error = refused(tmp_path, BGZF.removesuffix(END_BLOCK))
    assert (error.code, error.line, error.column) == ("truncated", *place(TEXT))


def test_bgzf_cut_at_any_byte_is_truncated(tmp_path: Path) -> None:
    starts = block_starts(BGZF)
    for length in range(1, len(BGZF)):
        error = refused(tmp_path, BGZF[:length])
        if length < 2:  # not even the magic of gzip: one byte that is no text
            assert error.code == "not-vcf"
            continue
        whole = sum(start <= length for start in starts[1:])
        # A first block that is cut cannot be told from gzip, and gives what it holds.
        if whole:
            assert (error.line, error.column) == place(TEXT[: whole * BLOCK])
        assert error.code == "truncated", length


def test_gzip_cut_at_any_byte_is_truncated(tmp_path: Path) -> None:
    for length in range(2, len(GZIP)):
        assert refused(tmp_path, GZIP[:length]).code == "truncated"


def test_gzip_cut_in_its_trailer_names_the_line_behind_the_last(tmp_path: Path) -> None:
    error = refused(tmp_path, GZIP[:-3])
    assert (error.line, error.column) == place(TEXT)


def test_gzip_cut_in_a_later_member_names_its_place(tmp_path: Path) -> None:
    first = TEXT[:700]
    error = refused(tmp_path, gzip.compress(first) + gzip.compress(TEXT[700:])[:12])
    assert (error.code, error.line, error.column) == ("truncated", *place(first))


@pytest.mark.parametrize(
    ("at", "damage"), [(2, b"\x07"), (3, b"\xe0"), (10, b"\xff\xff"), (10, b"\x06")]
)
def test_later_gzip_member_that_is_damaged_is_refused_and_not_cut_off(
    tmp_path: Path, at: int, damage: bytes
) -> None:
    first, second = gzip.compress(TEXT), gzip.compress(f"{RECORDS[3]}\n".encode() * 99)
    damaged = second[:at] + damage + second[at + len(damage) :]
    error = refused(tmp_path, first + damaged)
    assert (error.code, error.line) == ("corrupt", TEXT.count(b"\n") + 1)


@pytest.mark.parametrize("offset", [-8, -5, -4, -1])
def test_gzip_with_another_checksum_or_size_is_refused(
    tmp_path: Path, offset: int
) -> None:
    damaged = bytearray(GZIP)
    damaged[offset] ^= 1
    error = refused(tmp_path, bytes(damaged))
    assert (error.code, error.line, error.column) == ("crc", *place(TEXT))


@pytest.mark.parametrize("number", [0, 3, 5])
@pytest.mark.parametrize("offset", [-8, -1])
def test_bgzf_block_with_another_checksum_is_refused_at_its_line(
    tmp_path: Path, number: int, offset: int
) -> None:
    damaged = bytearray(BGZF)
    damaged[block_starts(BGZF)[number + 1] + offset] ^= 1
    error = refused(tmp_path, bytes(damaged))
    assert error.code == "crc"
    assert (error.line, error.column) == place(TEXT[: number * BLOCK])
    assert f"byte {block_starts(BGZF)[number]}" in error.message


def test_damage_of_gzip_is_told_and_not_the_odd_text_it_makes(tmp_path: Path) -> None:
    source = Path("platform/gemmule/demo/data/multipleChromosomes.vcf.gz").read_bytes()
    codes = set()
    for at in range(20_000, len(source), 17_001):
        damaged = bytearray(source)
        damaged[at] ^= 0x10
        error = refused(tmp_path, bytes(damaged))
        assert error.line is not None
        assert error.line > 30
        codes.add(error.code)
    assert codes <= {"crc", "corrupt"}
    # The text alone would be refused too: the rest of the file decides.
    row_at_fault = TEXT.replace(b"\t100\t", b"\tx\t", 1)
    changed = bytearray(gzip.compress(row_at_fault))
    changed[-8] ^= 1
    error = refused(tmp_path, bytes(changed))
    assert (error.code, error.line, error.column) == ("crc", 12, 2)
    packed = bytearray(bgzf(row_at_fault, block=BLOCK))
    packed[-len(END_BLOCK) - 8] ^= 1  # the checksum of the last block, not met yet
    assert refused(tmp_path, bytes(packed)).code == "position"
    error = refused(tmp_path, gzip.compress(row_at_fault))
    assert (error.code, error.line, error.column) == ("position", 12, 2)


def test_bgzf_block_whose_checksum_was_forged_for_other_text_passes_as_that_text(
    tmp_path: Path,
) -> None:
    # A checksum finds damage, not forgery: the record's check is what counts then.
    assert take_in(tmp_path, bgzf(TEXT.replace(b"0/1:3", b"1/1:3"))).records == 4


@pytest.mark.parametrize(
    ("name", "upload", "code"),
    [
        ("text behind gzip", GZIP + b"more", "trailing-data"),
        ("a byte behind gzip", GZIP + b"\x1f", "trailing-data"),
        ("zeros behind gzip", GZIP + bytes(512), "trailing-data"),
        ("text behind BGZF", BGZF + b"more", "truncated"),
        ("much text behind BGZF", BGZF + b"more" * 20, "corrupt"),
        ("gzip behind BGZF", BGZF + GZIP, "corrupt"),
        ("BGZF, then VCF", BGZF + TEXT, "corrupt"),
        ("deflate damaged", GZIP[:40] + b"\xff" * 20 + GZIP[60:], "corrupt"),
        ("block damaged", BGZF[:18] + b"\xff" * 9 + BGZF[27:], "corrupt"),
        ("unknown method", GZIP[:2] + b"\x07" + GZIP[3:], "corrupt"),
        ("reserved flags", GZIP[:3] + b"\xe0" + GZIP[4:], "corrupt"),
    ],
)
def test_other_bytes_are_refused(
    tmp_path: Path, name: str, upload: bytes, code: str
) -> None:
    error = refused(tmp_path, upload)
    assert error.code == code
    assert error.line is not None


def test_block_that_hides_bytes_behind_its_deflate_stream_is_refused(
    tmp_path: Path,
) -> None:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(TEXT) + deflate.flush() + b"hidden"
    head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff\x06\x00BC\x02\x00"
    block = head + struct.pack("<H", len(body) + 25) + body
    block += struct.pack("<II", zlib.crc32(TEXT), len(TEXT))
    assert refused(tmp_path, block + END_BLOCK).code == "corrupt"


@pytest.mark.parametrize("size", [1, 18, 25])
def test_block_that_states_an_impossible_size_is_refused(
    tmp_path: Path, size: int
) -> None:
    damaged = BGZF[:16] + struct.pack("<H", size - 1) + BGZF[18:]
    assert refused(tmp_path, damaged).code == "corrupt"


def test_store_is_bgzf_that_htslib_wrote_or_might_have(tmp_path: Path) -> None:
    take_in(tmp_path, TEXT)
    packed = store_path(tmp_path).read_bytes()
    assert packed.endswith(END_BLOCK)
    with pysam.BGZFile(str(store_path(tmp_path)), "rb", None) as file:
        assert file.read().endswith("".join(f"{row}\n" for row in RECORDS).encode())


def test_text_that_does_not_pack_is_stored(tmp_path: Path) -> None:
    noise = "".join(chr(33 + (n * n * 7919 + n // 3) % 94) for n in range(150_000))
    noise = noise.translate({ord(mark): "x" for mark in ":;,=.\t"})
    header = [HEADER[0], HEADER[-1]]
    record = f"1\t5\t.\tA\tC\t.\t.\t.\tGT:X\t0/1:{noise}\t0/0\t./."
    assert take_in(tmp_path, vcf(header, [record])).records == 1
    assert store_records(tmp_path) == [record]


def block_starts(data: bytes) -> list[int]:
    starts = [0]
    while starts[-1] < len(data):
        at = starts[-1]
        starts.append(at + struct.unpack_from("<H", data, at + 16)[0] + 1)
    return starts


def outcome(tmp_path: Path, upload: bytes) -> list[str] | None:
    """Return the records taken in, None when refused; no other error is caught."""
    try:
        take_in(tmp_path, upload)
    except IntakeRefused as error:
        assert error.message.startswith("expected ")  # noqa: PT017 - both ways are right
        return None
    return store_records(tmp_path)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    upload=st.sampled_from([BGZF, bgzf(TEXT), GZIP]),
    at=st.integers(0, 2**16),
    change=st.integers(1, 255),
)
def test_any_changed_byte_of_a_packed_upload_is_harmless_or_refused(
    tmp_path: Path, upload: bytes, at: int, change: int
) -> None:
    damaged = bytearray(upload)
    damaged[at % len(upload)] ^= change
    assert outcome(tmp_path, bytes(damaged)) in (None, list(RECORDS))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    upload=st.sampled_from([BGZF, bgzf(TEXT), GZIP]),
    start=st.integers(0, 2**16),
    length=st.integers(1, 200),
    replacement=st.binary(max_size=50),
)
def test_any_piece_cut_out_or_replaced_is_harmless_or_refused(
    tmp_path: Path, upload: bytes, start: int, length: int, replacement: bytes
) -> None:
    start %= len(upload)
    damaged = upload[:start] + replacement + upload[start + length :]
    assert outcome(tmp_path, damaged) in (None, list(RECORDS))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, len(TEXT) - 1),
            st.integers(0, 3),
            st.sampled_from([*b'\t\n\r\0:;,./|=<>[]*019AacGTx"\\# -+e\xff\xc3']).map(
                lambda byte: bytes([byte])
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_edited_text_is_taken_in_whole_or_refused(
    tmp_path: Path, edits: list[tuple[int, int, bytes]]
) -> None:
    text = TEXT
    for at, length, put in edits:
        text = text[:at] + put + text[at + length :]
    found = outcome(tmp_path, text)
    if found is not None:
        decoded = text.decode(errors="replace")  # header lines may be Latin-1
        rows = [row for row in decoded.splitlines() if row and row[0] != "#"]
        assert [row.upper().split("\t")[8:] for row in found] == [
            row.upper().split("\t")[8:] for row in rows
        ]
        assert store_path(tmp_path).with_name("store.vcf.gz.csi").stat().st_size
