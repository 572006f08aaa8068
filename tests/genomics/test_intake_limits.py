"""Uploads that are too large in one way or another."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads import header, records, site
from tests.genomics.uploads import HEADER, RECORDS, bgzf, take_in, vcf, with_field

VCF = vcf()
LAST = len(HEADER) + len(RECORDS)
NAMES = len(HEADER)  # the line of column names


def sized(samples: int, records_: int = 1, alts: int = 1) -> bytes:
    names = "\t".join(f"S{n}" for n in range(samples))
    alt = ",".join("A" * (n + 2) for n in range(alts))
    row = "\tA\t".join(["1\t5\t.", f"{alt}\t.\t.\t.\tGT"]) + "\t0" * samples
    columns = "\t".join(HEADER[-1].split("\t")[:9])
    return vcf([*HEADER[:-1], f"{columns}\t{names}"], [row] * records_)


LIMITS: list[tuple[str, bytes, Limits, str, int, int | None]] = [
    ("samples", sized(4), Limits(samples=3), "too-many-samples", NAMES, 13),
    ("alleles", sized(1, alts=4), Limits(alleles=4), "too-many-alleles", 12, 5),
    ("records", sized(1, 4), Limits(records=3), "too-many-records", 15, None),
    ("contigs", VCF, Limits(contigs=1), "too-many-contigs", 3, None),
    ("contigs of records", with_field(15, 1, "3"), Limits(contigs=2),
     "too-many-contigs", 15, 1),
    ("header", VCF, Limits(header_bytes=100), "header-length", 4, None),
    ("line", sized(200), Limits(line_bytes=300), "line-length", NAMES, 76),
    ("last line", VCF[:-1] + b":" * 400, Limits(line_bytes=300),
     "line-length", LAST, 12),
    ("line without end", VCF + b"1\t" * (3 << 20), Limits(line_bytes=2 << 20),
     "line-length", LAST + 1, (1 << 20) + 1),
    ("file", VCF, Limits(source_bytes=200), "too-large", 1, 1),
    ("plain bytes", gzip.compress(VCF), Limits(plain_bytes=200), "too-large", 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: case[0])
def test_what_is_over_a_limit_is_refused(
    tmp_path: Path, case: tuple[str, bytes, Limits, str, int, int | None]
) -> None:
    _, upload, limits, code, line, column = case
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload, limits=limits)
    error = refused.value
    assert (error.code, error.line, error.column) == (code, line, column)


def test_what_is_just_within_the_limits_is_taken(tmp_path: Path) -> None:
    upload = sized(3, 3, alts=3)
    lines = upload.split(b"\n")
    limits = Limits(
        samples=3,
        alleles=4,
        records=3,
        contigs=2,
        header_bytes=sum(len(line) + 1 for line in lines[:NAMES]),
        line_bytes=max(map(len, lines)),
        plain_bytes=len(upload),
        source_bytes=len(upload),
        ratio=1,
    )
    assert take_in(tmp_path, upload, limits=limits).records == 3


@pytest.mark.parametrize("pack", [gzip.compress, bgzf])
def test_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    upload = pack(sized(1, 400_000))
    assert len(upload) < 200_000
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload, limits=Limits(ratio=30))
    assert refused.value.code == "ratio"
    assert refused.value.line is not None
    assert refused.value.line < 300_000


def test_more_fields_than_anyone_declares_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (header, site, records):
        monkeypatch.setattr(module, "MAX_FIELDS", 3)
    many = [f"##INFO=<ID=K{n},Number=1,Type=String>" for n in range(4)]
    short = [HEADER[0], HEADER[-1]]
    row = RECORDS[2].split("\t")
    cases = [
        (vcf([HEADER[0], *many, HEADER[-1]]), 5, None),
        (vcf(short, ["\t".join([*row[:6], "a;b;c;d", *row[7:]])]), 3, 7),
        (vcf(short, ["\t".join([*row[:7], "A=1;B=1;C=1;D=1", *row[8:]])]), 3, 8),
        (vcf(short, ["\t".join([*row[:8], "GT:A:B:C", *row[9:]])]), 3, 9),
    ]
    for upload, line, column in cases:
        with pytest.raises(IntakeRefused) as refused:
            take_in(tmp_path, upload)
        error = refused.value
        assert (error.code, error.line, error.column) == (
            "too-many-fields",
            line,
            column,
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (7, ";".join(f"f{n}" for n in range(300))),
        (8, ";".join(f"K{n}" for n in range(5000))),
        (9, ":".join(["GT", *(f"K{n}" for n in range(300))])),
    ],
)
def test_more_entries_than_a_record_may_have_are_refused(
    tmp_path: Path, column: int, value: str
) -> None:
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, with_field(14, column, value))
    error = refused.value
    assert (error.code, error.line, error.column) == ("too-many-fields", 14, column)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (3, "a;" * 500_000, "id"),
        (5, "A" * 500_000 + "x", "alt"),
        (5, "A[" + "1:" * 500_000, "alt"),
        (6, "1" * 500_000 + "x", "qual"),
        (8, "END=" + "1," * 500_000 + "x", "info-value"),
        (10, "0/" * 500_000 + ":1", "genotype"),
        (12, "./.:1:" + "1" * 500_000 + "x", "format-value"),
        (12, "./.:1:" + "1," * 500_000 + "x", "format-value"),
        (12, "./.:" + "1" * 500_000, "format-value"),
    ],
)
def test_long_values_cost_no_more_than_their_length(
    tmp_path: Path, column: int, value: str, code: str
) -> None:
    # A pattern that backtracks would need minutes; the suite's timeout is one each.
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, with_field(12, column, value))
    assert (refused.value.code, refused.value.column) == (code, column)
