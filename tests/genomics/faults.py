"""Unsound uploads, one for each fault: bytes, the code, and the place to be named."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

from tests.genomics.uploads import (
    HEADER,
    RECORDS,
    bgzf,
    vcf,
    with_field,
    with_header,
)

VCF = vcf()
LAST = len(HEADER) + len(RECORDS)
NAMES = len(HEADER)  # the line of column names

Fault = tuple[str, bytes, str, int | None, int | None]  # name, upload, code, place


def archive(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as packed:
            packed.writestr("x.vcf", VCF)
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w") as packed_tar:
        packed_tar.addfile(tarfile.TarInfo("x.vcf"))
    packers: dict[str, Callable[[bytes], bytes]] = {
        "xz": lzma.compress,
        "bz2": bz2.compress,
        "gz": gzip.compress,
    }
    return packers[kind](buffer.getvalue())


OTHER_FILES: list[Fault] = [
    ("nothing", b"", "empty", 1, 1),
    ("gzip of nothing", gzip.compress(b""), "header-missing", 1, None),
    ("other text", b"hello\n", "not-vcf", 1, 1),
    ("a page", b"<!DOCTYPE html>", "not-vcf", 1, 1),
    ("random bytes", bytes(range(255, 0, -1)), "not-vcf", 1, 1),
    ("gzip of other text", gzip.compress(b"hello"), "not-vcf", 1, 1),
    ("packed twice", gzip.compress(gzip.compress(VCF)), "not-vcf", 1, 1),
    ("BGZF packed again", gzip.compress(bgzf(VCF)), "not-vcf", 1, 1),
    ("byte-order mark", b"\xef\xbb\xbf" + VCF, "not-vcf", 1, 1),
    ("no fileformat", b"#CHROM\tPOS\n", "not-vcf", 1, 1),
    ("bare BCF", b"BCF\x02\x02" + bytes(40), "bcf", 1, 1),
    ("BCF", bgzf(b"BCF\x02\x02" + bytes(40)), "bcf", 1, 1),
    ("BAM", bgzf(b"BAM\x01" + bytes(40)), "bam", 1, 1),
    ("SAM", b"@HD\tVN:1.6\n", "bam", 1, 1),
    ("CRAM", b"CRAM\x03\x00" + bytes(40), "cram", 1, 1),
    ("tbi", bgzf(b"TBI\x01" + bytes(40)), "index", 1, 1),
    ("csi", bgzf(b"CSI\x01" + bytes(40)), "index", 1, 1),
    ("zip", archive("zip"), "archive", 1, 1),
    ("xz", archive("xz"), "archive", 1, 1),
    ("bzip2", archive("bz2"), "archive", 1, 1),
    ("zstd", b"\x28\xb5\x2f\xfd" + bytes(40), "archive", 1, 1),
    ("7z", b"7z\xbc\xaf\x27\x1c", "archive", 1, 1),
    ("tar in gzip", archive("gz"), "not-vcf", 1, 1),
    ("Crypt4GH", b"crypt4gh\x01\x00\x00\x00", "crypt4gh", 1, 1),
    (
        "VCF 3.3",
        with_header("##fileformat", "##fileformat=VCFv3.3"),
        "version",
        1,
        None,
    ),
    (
        "VCF 4.6",
        with_header("##fileformat", "##fileformat=VCFv4.6"),
        "version",
        1,
        None,
    ),
    ("VCF 5", with_header("##fileformat", "##fileformat=VCFv5.0"), "version", 1, None),
]

DP = "##INFO=<ID=DP"
HEADERS: list[Fault] = [
    ("no column names", vcf(HEADER[:-1]), "header-missing", NAMES, None),
    ("header alone", vcf(HEADER[:3], []), "header-missing", 4, None),
    ("header cut", vcf(HEADER, [])[:-20], "truncated", NAMES, 8),
    ("line of header cut", vcf(HEADER[:6], [])[:-9], "truncated", 6, 1),
    ("no brackets", with_header(DP, "##INFO=ID=DP"), "header-line", 5, None),
    ("open quote", with_header(DP, '##INFO=<ID=DP,Number=1,Type=Float,Description="x>'),
     "header-line", 5, None),
    ("no Number", with_header(DP, '##INFO=<ID=DP,Type=Integer,Description="x">'),
     "header-line", 5, None),
    ("bad Number", with_header(DP, '##INFO=<ID=DP,Number=X,Type=Integer>'),
     "header-line", 5, None),
    ("bad Type", with_header(DP, "##INFO=<ID=DP,Number=1,Type=Int>"),
     "header-line", 5, None),
    ("no ID", with_header(DP, "##INFO=<Number=1,Type=Integer>"),
     "header-line", 5, None),
    ("ID twice", with_header(DP, "##INFO=<ID=DP,ID=DQ,Number=1,Type=Integer>"),
     "header-line", 5, None),
    ("FORMAT flag",
     with_header("##FORMAT=<ID=DP", "##FORMAT=<ID=DP,Number=0,Type=Flag>"),
     "header-line", 9, None),
    ("FILTER without ID", with_header("##FILTER", '##FILTER=<Description="x">'),
     "header-line", 4, None),
    ("contig length", with_header("##contig=<ID=1", "##contig=<ID=1,length=1e3>"),
     "header-line", 2, None),
    ("contig length 0", with_header("##contig=<ID=1", "##contig=<ID=1,length=0>"),
     "header-line", 2, None),
    ("contig name", with_header("##contig=<ID=1", '##contig=<ID="a b">'),
     "contig-name", 2, None),
    ("two definitions", vcf([*HEADER[:5], '##INFO=<ID=DP,Number=1,Type=Float>',
     *HEADER[5:]]), "header-conflict", 6, None),
    ("two lengths", vcf([*HEADER[:2], "##contig=<ID=1,length=999>", *HEADER[2:]]),
     "header-conflict", 3, None),
    ("column name", with_field(NAMES, 4, "ALT"), "column-header", NAMES, 4),
    ("columns swapped", with_field(NAMES, 9, "INFO"), "column-header", NAMES, 9),
    ("columns parted by blanks", vcf([*HEADER[:-1], HEADER[-1].replace("\t", " ")]),
     "column-header", NAMES, 1),
    ("too few columns", vcf([*HEADER[:-1], "#CHROM\tPOS\tID"]),
     "column-header", NAMES, 4),
    ("sites only", vcf([*HEADER[:-1], "\t".join(HEADER[-1].split("\t")[:8])], []),
     "no-samples", NAMES, 9),
    ("FORMAT alone", vcf([*HEADER[:-1], "\t".join(HEADER[-1].split("\t")[:9])], []),
     "no-samples", NAMES, 10),
    ("sample twice", with_field(NAMES, 12, "S1"), "sample-duplicate", NAMES, 12),
    ("sample without name", with_field(NAMES, 11, ""), "sample-name", NAMES, 11),
    ("sample of blanks", with_field(NAMES, 11, "  "), "sample-name", NAMES, 11),
    ("sample invisible", with_field(NAMES, 11, "S\u200b1"), "sample-name", NAMES, 11),
    ("sample reversed", with_field(NAMES, 10, "\u202eS1"), "sample-name", NAMES, 10),
    ("sample C1", with_field(NAMES, 10, "S\u0085"), "sample-name", NAMES, 10),
    ("sample too long", with_field(NAMES, 10, "S" * 256), "sample-name", NAMES, 10),
    ("sample with escape", with_field(NAMES, 11, "S\x1b[2J"), "control-character",
     NAMES, 11),
]  # fmt: skip

# Line 12 is biallelic with GT:DP:GL, 13 has two ALT and GT:DP, 14 is GT alone.
END_OF_ALL = [*RECORDS[:3], "2\t2147483646\t.\tACG\tA\t.\t.\t.\tGT\t0\t1\t."]

ROWS: list[Fault] = [
    ("mate beyond 32 bits", with_field(14, 5, f"A[1:{'9' * 5000}["), "alt", 14, 5),
    ("REF beyond 32 bits", vcf(records=END_OF_ALL), "position-beyond-contig", 15, 4),
    ("a column too many", with_field(13, 12, ".:.\t0/0:1"), "column-count", 13, 13),
    ("a column too few", VCF.replace(b"\t1|2:4\t", b"\t"), "column-count", 13, 12),
    ("blanks for tabs", VCF.replace(b"\t.:.", b" .:."), "column-count", 13, 12),
    ("not a row", vcf(records=[RECORDS[0], "hello"]), "column-count", 13, 2),
    ("empty line", vcf(records=[RECORDS[0], "", RECORDS[1]]), "blank-line", 13, None),
    ("empty line in header", vcf(["##fileformat=VCFv4.2", "", HEADER[-1]]),
     "blank-line", 2, None),
    ("header line again", vcf(records=[RECORDS[0], HEADER[-1]]), "contig-name", 13, 1),
    ("contig empty", with_field(12, 1, ""), "contig-name", 12, 1),
    ("contig with blank", with_field(12, 1, "chr 1"), "contig-name", 12, 1),
    ("contig with comma", with_field(12, 1, "1,2"), "contig-name", 12, 1),
    ("contig of brackets", with_field(12, 1, "<1"), "contig-name", 12, 1),
    ("contig again", vcf(records=[*RECORDS, RECORDS[0]]), "contig-order", 16, 1),
    ("position a word", with_field(12, 2, "x"), "position", 12, 2),
    ("position empty", with_field(12, 2, ""), "position", 12, 2),
    ("position negative", with_field(12, 2, "-1"), "position", 12, 2),
    ("position a fraction", with_field(12, 2, "1.0"), "position", 12, 2),
    ("position padded", with_field(12, 2, "0100"), "position", 12, 2),
    ("position in Arabic", with_field(12, 2, "\u0661\u0660\u0660"), "position", 12, 2),
    ("position huge", with_field(12, 2, "9" * 400), "position", 12, 2),
    ("position 2**31", with_field(15, 2, str(2**31)), "position-beyond-contig", 15, 2),
    ("position behind contig", with_field(14, 2, "1002"),
     "position-beyond-contig", 14, 2),
    ("positions back", with_field(14, 2, "99"), "position-order", 14, 2),
    ("id empty", with_field(12, 3, ""), "id", 12, 3),
    ("id with blank", with_field(12, 3, "rs 1"), "id", 12, 3),
    ("id with empty part", with_field(12, 3, "rs1;"), "id", 12, 3),
    ("ref missing", with_field(12, 4, "."), "ref", 12, 4),
    ("ref empty", with_field(12, 4, ""), "ref", 12, 4),
    ("ref no base", with_field(12, 4, "AXG"), "ref", 12, 4),
    ("ref ambiguous", with_field(12, 4, "R"), "ref", 12, 4),
    ("ref symbolic", with_field(12, 4, "<DEL>"), "ref", 12, 4),
    ("alt empty", with_field(12, 5, ""), "alt", 12, 5),
    ("alt empty part", with_field(13, 5, "G,"), "alt", 13, 5),
    ("alt missing part", with_field(13, 5, "G,."), "alt", 13, 5),
    ("alt no base", with_field(12, 5, "X"), "alt", 12, 5),
    ("alt of version 3", with_field(12, 5, "I3A"), "alt", 12, 5),
    ("alt open bracket", with_field(12, 5, "<DEL"), "alt", 12, 5),
    ("alt odd breakend", with_field(12, 5, "A[1:5]"), "alt", 12, 5),
    ("alt breakend without position", with_field(12, 5, "A[1["), "alt", 12, 5),
    ("alt like ref", with_field(12, 5, "A"), "alt", 12, 5),
    ("alt like ref in lower case", with_field(12, 5, "a"), "alt", 12, 5),
    ("alt twice", with_field(13, 5, "T,T"), "alt", 13, 5),
    ("quality a word", with_field(12, 6, "good"), "qual", 12, 6),
    ("quality empty", with_field(12, 6, ""), "qual", 12, 6),
    ("quality a list", with_field(12, 6, "1,2"), "qual", 12, 6),
    ("quality in hex", with_field(12, 6, "0x1p3"), "qual", 12, 6),
    ("filter empty", with_field(12, 7, ""), "filter", 12, 7),
    ("filter 0", with_field(12, 7, "0"), "filter", 12, 7),
    ("filter with blank", with_field(12, 7, "q 10"), "filter", 12, 7),
    ("filter with comma", with_field(12, 7, "q10,q20"), "filter", 12, 7),
    ("filter with empty part", with_field(12, 7, "q10;"), "filter", 12, 7),
    ("info empty", with_field(12, 8, ""), "info", 12, 8),
    ("info of semicolons", with_field(12, 8, ";;"), "info", 12, 8),
    ("info without key", with_field(12, 8, "=3"), "info", 12, 8),
    ("info key with blank", with_field(12, 8, "A B=3"), "info", 12, 8),
    ("info key twice", with_field(12, 8, "DP=3;DB;DP=4"), "info-duplicate", 12, 8),
    ("end a word", with_field(15, 8, "END=x"), "info-value", 15, 8),
    ("end alone", with_field(15, 8, "END"), "info-value", 15, 8),
    ("two ends", with_field(15, 8, "END=9,10"), "info-value", 15, 8),
    ("end of 33 bits", with_field(15, 8, "END=4294967296"), "info-value", 15, 8),
    ("length a word", with_field(15, 8, "SVLEN=x"), "info-value", 15, 8),
    ("format empty", with_field(14, 9, ""), "format", 14, 9),
    ("format empty key", with_field(14, 9, "GT:"), "format", 14, 9),
    ("format odd key", with_field(14, 9, "GT:A B"), "format", 14, 9),
    ("format GT late", with_field(13, 9, "DP:GT"), "format", 13, 9),
    ("format twice", with_field(12, 9, "GT:DP:DP"), "format-duplicate", 12, 9),
    ("format GT twice", with_field(13, 9, "GT:GT"), "format-duplicate", 13, 9),
    ("value without key", with_field(14, 11, "0|1:3"), "format-value", 14, 11),
    ("value without format", with_field(14, 9, "."), "format-value", 14, 10),
    ("depth a word", with_field(12, 11, "1|1:many"), "format-value", 12, 11),
    ("depth a fraction", with_field(12, 11, "1|1:3.5"), "format-value", 12, 11),
    ("depth with blank", with_field(12, 11, "1|1:3 "), "format-value", 12, 11),
    ("depth of 32 bits", with_field(12, 11, "1|1:2147483648"), "format-value", 12, 11),
    ("depth BCF keeps", with_field(12, 11, "1|1:-2147483641"),
     "format-value", 12, 11),
    ("depth with comma", with_field(12, 11, "1|1:3,"), "format-value", 12, 11),
    ("depth empty", with_field(12, 11, "1|1::1"), "format-value", 12, 11),
    ("likelihood a word", with_field(12, 12, "./.:1:x"), "format-value", 12, 12),
    ("likelihood empty", with_field(12, 12, "./.:1:"), "format-value", 12, 12),
    ("undeclared key empty", with_field(13, 9, "GT:XY").replace(b"0/2:3", b"0/2:"),
     "format-value", 13, 10),
    ("genotype empty", with_field(12, 10, ":3"), "genotype", 12, 10),
    ("genotype a letter", with_field(14, 12, "A/A"), "genotype", 14, 12),
    ("genotype cut", with_field(14, 11, "0|"), "genotype", 14, 11),
    ("genotype doubled bar", with_field(14, 11, "0||1"), "genotype", 14, 11),
    ("genotype negative", with_field(14, 11, "-1/0"), "genotype", 14, 11),
    ("genotype with blank", with_field(14, 11, "0 /1"), "genotype", 14, 11),
    ("genotype before 4.4", with_field(14, 11, "|0|1"), "genotype", 14, 11),
    ("allele beyond one", with_field(12, 10, "0/2:3"), "genotype-allele", 12, 10),
    ("allele beyond two", with_field(13, 11, "3|0:1"), "genotype-allele", 13, 11),
    ("allele without ALT", with_field(14, 5, "."), "genotype-allele", 14, 11),
    ("allele huge", with_field(14, 11, "0/999999999"), "genotype-allele", 14, 11),
]  # fmt: skip

TEXTS: list[Fault] = [
    ("NUL", VCF.replace(b"DP=3", b"DP=\x003"), "nul", 14, 8),
    ("NUL in packed text", gzip.compress(VCF.replace(b"rs1", b"r\0s")), "nul", 12, 3),
    ("NULs behind", VCF + bytes(100), "nul", LAST + 1, 1),
    ("bell", VCF.replace(b"rs1", b"r\x07s"), "control-character", 12, 3),
    ("DEL", VCF.replace(b"rs1", b"r\x7fs"), "control-character", 12, 3),
    ("lone CR", VCF.replace(b"1|2:4", b"1|2:\r4"), "control-character", 13, 11),
    ("CR for LF", VCF.replace(b"\n", b"\r"), "control-character", 1, 1),
    ("Latin-1", VCF.replace(b"rs1", b"r\xe9s"), "encoding", 12, 3),
    ("surrogate", VCF.replace(b"rs1", b"\xed\xa0\x80"), "encoding", 12, 3),
    ("row cut", VCF.rstrip(b"\n").removesuffix(b"\t0\t1\t."), "truncated", LAST, 9),
    ("row cut in a column", VCF[:-5], "truncated", LAST, 10),
    ("row cut, CRLF", vcf(end="\r\n")[:-6], "truncated", LAST, 10),
    # The earlier of two faults is told, whatever looks for it.
    (
        "row before NUL",
        with_field(12, 2, "x").replace(b"DP=3", b"\0"),
        "position",
        12,
        2,
    ),
    ("NUL before row", with_field(14, 2, "x").replace(b"rs1", b"\0"), "nul", 12, 3),
    ("row before cut", bgzf(with_field(12, 2, "x"), end=b""), "position", 12, 2),
]

ALL = [*OTHER_FILES, *HEADERS, *ROWS, *TEXTS]
