"""Write small uploads, sound and unsound, and run intake on them."""

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pysam.bcftools

from genomics import intake
from genomics.job import IntakeJob, IntakeResult, Progress
from genomics.limits import Limits

HEADER = (
    "##fileformat=VCFv4.2",
    "##contig=<ID=1,length=1000>",
    "##contig=<ID=2>",
    '##FILTER=<ID=q10,Description="Quality below 10">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##INFO=<ID=DB,Number=0,Type=Flag,Description="dbSNP">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GL,Number=G,Type=Float,Description="Likelihoods">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\tS3",
)
# The lines that follow; the last one is on contig 2.
RECORDS = (
    "1\t100\trs1\tA\tC\t50\tPASS\tDP=9;DB\tGT:DP:GL\t0/1:3:-1,-2,-3\t1|1:4:.\t./.",
    "1\t100\t.\tA\tG,T\t.\tq10\t.\tGT:DP\t0/2:3\t1|2:4\t.:.",
    "1\t200\t.\tACGT\tA\t1e-3\t.\tDP=3\tGT\t0|0\t0|1\t1|1",
    "2\t5\t.\tN\t<DEL>\t3.5\tPASS\tEND=9\tGT\t0\t1\t.",
)
FIRST_RECORD = len(HEADER) + 1

END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def vcf(
    header: Sequence[str] = HEADER, records: Sequence[str] = RECORDS, *, end: str = "\n"
) -> bytes:
    """Return the text of an upload; `end` ends every line."""
    return "".join(line + end for line in (*header, *records)).encode()


def with_field(line: int, column: int, value: str) -> bytes:
    """Return the sound upload with one field changed; both count from 1."""
    lines = [*HEADER, *RECORDS]
    fields = lines[line - 1].split("\t")
    fields[column - 1] = value
    lines[line - 1] = "\t".join(fields)
    return "".join(f"{text}\n" for text in lines).encode()


def with_header(replaced: str, line: str) -> bytes:
    """Return the sound upload with the header line that starts so replaced."""
    assert sum(text.startswith(replaced) for text in HEADER) == 1
    return vcf([line if text.startswith(replaced) else text for text in HEADER])


def bgzf(data: bytes, *, block: int = 0xFF00, end: bytes = END_BLOCK) -> bytes:
    """Return BGZF, written from the specification and apart from the product's."""
    packed = b""
    for start in range(0, len(data), block):
        plain = data[start : start + block]
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(plain) + deflate.flush()
        packed += b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff\x06\x00BC\x02\x00"
        packed += struct.pack("<H", len(body) + 25) + body
        packed += struct.pack("<II", zlib.crc32(plain), len(plain))
    return packed + end


def take_in(
    tmp_path: Path,
    upload: bytes | Path,
    *,
    build: str | None = None,
    limits: Limits | None = None,
    progress: list[Progress] | None = None,
) -> IntakeResult:
    """Run intake in this process; the store is `tmp_path/"store"/"store.vcf.gz"`."""
    if isinstance(upload, bytes):
        source = tmp_path / "upload"
        source.write_bytes(upload)
    else:
        source = upload
    store_path(tmp_path).parent.mkdir(exist_ok=True)
    job = IntakeJob(
        source=source,
        store=store_path(tmp_path),
        build=build,
        limits=limits or Limits(),
    )
    sink: list[Progress] = [] if progress is None else progress
    return intake.run(job, sink.append)


def store_path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store.vcf.gz"


def store_lines(tmp_path: Path) -> list[str]:
    """Return the lines of the store, read by Python's gzip and not by the product."""
    text = gzip.decompress(store_path(tmp_path).read_bytes()).decode()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def store_records(tmp_path: Path) -> list[str]:
    return [line for line in store_lines(tmp_path) if not line.startswith("#")]


def store_header(tmp_path: Path) -> list[str]:
    return [line for line in store_lines(tmp_path) if line.startswith("#")]


def bcftools_records(path: Path) -> str:
    """Return the records as bcftools, an independent reader, understands them."""
    return str(pysam.bcftools.view("--no-version", "-H", str(path)))
