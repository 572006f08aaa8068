"""BCF uploads: the same store as from the text that bcftools makes of them."""

import gzip
import random
import struct
import tempfile
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics.errors import IntakeRefused
from genomics.limits import Limits
from tests.genomics import bcftools, generated
from tests.genomics.uploads import (
    HEADER,
    RECORDS,
    bgzf,
    store_lines,
    store_path,
    store_records,
    take_in,
    vcf,
)

# Everything that has a type of its own: phase, ploidy, long and short vectors.
RICH_HEADER = [
    *HEADER[:-1],
    '##INFO=<ID=AF,Number=A,Type=Float,Description="x">',
    '##INFO=<ID=STR,Number=.,Type=String,Description="x">',
    '##INFO=<ID=CH,Number=1,Type=Character,Description="x">',
    '##INFO=<ID=MANY,Number=.,Type=Integer,Description="x">',
    '##FORMAT=<ID=FT,Number=.,Type=String,Description="x">',
    HEADER[-1],
]
RICH_RECORDS = [
    "1\t100\trs1;x\tA\tC\t50\tPASS\tDP=9;DB\tGT:DP:GL\t0/1:3:-1,-2,-3\t1|1:4:.\t./.:.:.",
    "1\t200\t.\tACGT\tA,<DEL>,A[2:9[\t0.1\tq10\tEND=203;AF=0.1,1e-07,123456789;"
    "STR=a,b\tGT:FT\t0|2\t.:long_text\t1/2/3:x",
    f"1\t1001\t.\tN\t.\t.\t.\tCH=x;MANY={','.join(map(str, range(300)))}\tGT\t0\t.\t.",
    "2\t5\t.\tN\t<DEL>\t3.5\tPASS\tMANY=-127,.,32000,-40000\tDP:GL\t1000:.\t70000:1\t.:.",
    "2\t9\t.\tA\tG\t.\t.\t.\t.\t.\t.\t.",
]  # fmt: skip


def to_bcf(folder: Path, data: bytes, *options: str) -> Path:
    """Return the BCF that bcftools makes of a sound upload whose header is whole."""
    source, made = folder / "made.vcf", folder / "made.bcf"
    source.write_bytes(data)
    bcftools.write("--no-version", *(options or ("-Ob",)), "-o", str(made), str(source))
    return made


def assert_same_store(folder: Path, made: Path) -> None:
    text = folder / "text.vcf"
    text.write_text(bcftools.view("--no-version", str(made)))
    outcomes = []
    for path in (made, text):
        take_in(folder, path)
        outcomes.append(store_lines(folder))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("option", ["-Ob", "-Ou"])
def test_bcf_makes_the_store_of_its_text(tmp_path: Path, option: str) -> None:
    assert_same_store(
        tmp_path, to_bcf(tmp_path, vcf(RICH_HEADER, RICH_RECORDS), option)
    )
    assert store_records(tmp_path)[0].startswith(
        "1\t100\trs1;x\tA\tC\t50\tPASS\tDP=9;DB"
    )


@pytest.mark.parametrize("version", ["4.2", "4.4"])
def test_genotypes_keep_their_first_phase_where_the_version_has_one(
    tmp_path: Path, version: str
) -> None:
    genotypes = ["0", "1", ".", "0/1", "0|1", "./.", ".|1", "1|0/1"]
    if version == "4.4":
        genotypes += ["/0", "|0", "|.", "/0|1", "|0/1", "|0|1"]
    names = "\t".join(f"N{n}" for n in range(len(genotypes)))
    header = [f"##fileformat=VCFv{version}", *HEADER[1:-1]]
    header.append("\t".join([*HEADER[-1].split("\t")[:9], names]))
    record = "\t".join(["1\t5\t.\tA\tC\t.\t.\t.\tGT", *genotypes])
    assert_same_store(tmp_path, to_bcf(tmp_path, vcf(header, [record])))
    stored = store_records(tmp_path)[0].split("\t")[9:]
    assert [text.lstrip("/|") for text in stored] == [
        text.lstrip("/|") for text in genotypes
    ]


def test_floats_are_written_as_htslib_writes_them(tmp_path: Path) -> None:
    rng = random.Random(11)
    bits = [struct.pack("<I", rng.getrandbits(32)) for _ in range(2000)]
    bits += [struct.pack("<f", rng.random()) for _ in range(2000)]
    values = [struct.unpack("<f", each)[0] for each in bits]
    rows = [f"1\t5\t.\tA\tC\t.\t.\tAF={value!r}\tGT\t0\t.\t." for value in values
            if value == value]  # fmt: skip
    assert_same_store(tmp_path, to_bcf(tmp_path, vcf(RICH_HEADER, rows)))


@pytest.mark.parametrize("minor", [1, 2])
def test_dictionary_without_idx_and_any_packing_are_read(
    tmp_path: Path, minor: int
) -> None:
    data = gzip.decompress(
        to_bcf(tmp_path, vcf(RICH_HEADER, RICH_RECORDS)).read_bytes()
    )
    (size,) = struct.unpack_from("<I", data, 5)
    header, rest = data[9 : 9 + size].rstrip(b"\0"), data[9 + size :]
    for number in range(30):
        header = header.replace(b",IDX=%d>" % number, b">")
    assert b"IDX" not in header
    plain = b"BCF\x02" + bytes([minor]) + struct.pack("<I", len(header)) + header + rest
    for upload in (plain, gzip.compress(plain), bgzf(plain, block=100)):
        assert take_in(tmp_path, upload).records == len(RICH_RECORDS)
    expected = store_lines(tmp_path)
    take_in(tmp_path, bgzf(data))
    assert store_lines(tmp_path) == expected


def test_fault_of_a_bcf_has_the_line_of_its_text(tmp_path: Path) -> None:
    rows = [*RECORDS[:2], "1\t50\t.\tA\tC\t.\t.\t.\tGT\t0\t1\t.", RECORDS[3]]
    made = to_bcf(tmp_path, vcf(records=rows))
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, made)
    error = refused.value
    lines = bcftools.view("--no-version", str(made)).splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.startswith("1\t50"))
    assert (error.code, error.line, error.column) == ("position-order", line, 2)


def plain_bcf(folder: Path) -> bytes:
    return gzip.decompress(to_bcf(folder, vcf(RICH_HEADER, RICH_RECORDS)).read_bytes())


def test_bcf_cut_anywhere_is_refused_with_nothing_left(tmp_path: Path) -> None:
    data = plain_bcf(tmp_path)
    (size,) = struct.unpack_from("<I", data, 5)
    ends = {9 + size}
    at = 9 + size
    while at < len(data):
        at += 8 + sum(struct.unpack_from("<2I", data, at))
        ends.add(at)
    for length in range(9 + size - 3, len(data), 7):
        if length in ends:
            continue
        with pytest.raises(IntakeRefused) as refused:
            take_in(tmp_path, data[:length])
        assert refused.value.code == "truncated"
        assert not list(store_path(tmp_path).parent.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"##fileformat=VCFv4.2", b"##fileformat=VCFv9.2", "version"),
        (b"IDX=1>", b"IDX=0>", "bcf"),
        (b"ID=DP,Number=1,Type=Integer,Description=\"Depth\",IDX=2",
         b"ID=DP,Number=1,Type=Integer,Description=\"Depth\",IDX=9", "bcf"),
        (b"long_text", b"long\ttext", "bcf"),
        (b"long_text", b"long\ntext", "bcf"),
    ],
)  # fmt: skip
def test_bcf_that_says_something_else_is_refused(
    tmp_path: Path, old: bytes, new: bytes, code: str
) -> None:
    data = plain_bcf(tmp_path)
    assert old in data
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, data.replace(old, new))
    assert refused.value.code == code


def test_sizes_that_a_bcf_only_claims_take_no_memory(tmp_path: Path) -> None:
    data = plain_bcf(tmp_path)
    (size,) = struct.unpack_from("<I", data, 5)
    huge = data[:5] + struct.pack("<I", 2**32 - 1) + data[9:]
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, huge)
    assert refused.value.code == "header-length"
    at = 9 + size
    huge = data[:at] + struct.pack("<2I", 2**32 - 1, 2**32 - 1) + data[at + 8 :]
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, huge)
    assert refused.value.code == "line-length"
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, data, limits=Limits(line_bytes=100))
    assert refused.value.code == "line-length"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 2**16), put=st.binary(min_size=1, max_size=4))
def test_any_damaged_bcf_is_read_or_refused(
    tmp_path: Path, at: int, put: bytes
) -> None:
    made = tmp_path / "plain"
    if not made.exists():
        made.write_bytes(plain_bcf(tmp_path))
    data = made.read_bytes()
    at %= len(data)
    try:
        take_in(tmp_path, data[:at] + put + data[at + len(put) :])
    except IntakeRefused as error:
        assert error.message.startswith("expected ")  # noqa: PT017 - both ways are right
        return
    with pysam.VariantFile(str(store_path(tmp_path))) as file:
        assert sum(1 for _ in file) == len(RICH_RECORDS)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(case=generated.cases())
def test_generated_uploads_come_in_as_bcf_too(case: generated.Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        take_in(folder, case.upload)
        # The store declares all it uses, as BCF needs it.
        made = to_bcf(folder, gzip.decompress(store_path(folder).read_bytes()))
        assert_same_store(folder, made)
