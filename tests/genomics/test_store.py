"""Reading the store: whole or not at all."""

import gzip
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics.bgzf import END as BGZF_END
from genomics.digest import check_digest
from genomics.errors import BuildFailed
from genomics.store import Store
from tests.genomics.release import ANN_AND_CID, cut, source

RECORDS = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 9000)]
TEXT = source(*RECORDS, header="##contig=<ID=20,assembly=b37,length=63025520>\n##x=é")


def bgzf(text: bytes, path: Path) -> Path:
    with closing(pysam.BGZFile(str(path), "wb", None)) as file:
        file.write(text)
    return path


def read(path: Path) -> list[str]:
    with closing(Store(path)) as store:
        return list(store.records())


@pytest.mark.parametrize("form", ["bgzf", "gzip", "plain", "two gzip members", "crlf"])
def test_any_sound_form_of_vcf_text_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "store.vcf.gz"
    data = TEXT.encode()
    writers: dict[str, Callable[[], object]] = {
        "bgzf": lambda: bgzf(data, path),
        "gzip": lambda: path.write_bytes(gzip.compress(data)),
        "plain": lambda: path.write_bytes(data),
        "two gzip members": lambda: path.write_bytes(
            gzip.compress(data[:1000]) + gzip.compress(data[1000:])
        ),
        "crlf": lambda: path.write_bytes(data.replace(b"\n", b"\r\n")),
    }
    writers[form]()
    with closing(Store(path)) as store:
        assert store.samples == ("Ann", "Ben", "Cid")
        assert store.contig_lengths == {"20": 63025520}
        assert list(store.records()) == ["\t".join(row.split()) for row in RECORDS]
        assert store.line == len(RECORDS) + 4


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("form", ["bgzf", "gzip"])
def test_a_store_that_is_cut_off_is_refused(
    tmp_path: Path, form: str, share: float
) -> None:
    path = tmp_path / "store.vcf.gz"
    if form == "bgzf":
        data = bgzf(TEXT.encode(), path).read_bytes()
    else:
        data = gzip.compress(TEXT.encode())
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BuildFailed, match="cut off"):
        read(path)


def test_a_store_cut_between_two_blocks_is_refused(tmp_path: Path) -> None:
    path = bgzf(TEXT.encode(), tmp_path / "store.vcf.gz")
    path.write_bytes(path.read_bytes().removesuffix(BGZF_END))
    with pytest.raises(BuildFailed, match="cut off"):
        read(path)


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    path = bgzf(TEXT.encode(), tmp_path / "store.vcf.gz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(BuildFailed, match="damaged"):
        read(path)


def test_an_empty_line_does_not_end_the_file(tmp_path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    path = bgzf("".join([*lines[:50], "\n", *lines[50:]]).encode(), tmp_path / "s.gz")
    assert len(read(path)) == len(RECORDS) + 1
    with pytest.raises(BuildFailed):
        cut(path, ANN_AND_CID)


@pytest.mark.parametrize("text", ["", "##fileformat=VCFv4.2\n", "garbage\n", "20\t1\n"])
def test_what_has_no_samples_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "store.vcf.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(BuildFailed) as caught:
        read(path)
    assert caught.value.code == "header"


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(BuildFailed, match="readable store"):
            read(path)


def test_a_store_that_changed_since_intake_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    check_digest(path, empty)
    path.write_bytes(b"x")
    with pytest.raises(BuildFailed, match="it changed"):
        check_digest(path, empty)
    path.write_bytes(gzip.compress(source("20 9 . A C . . . GT 0/1 0/0 0/0").encode()))
    with pytest.raises(BuildFailed, match="it changed"):
        cut(path, ANN_AND_CID, source_sha256=empty)


def test_lines_longer_than_a_block_are_read_whole(tmp_path: Path) -> None:
    long = "A" * 3_000_000
    path = tmp_path / "store.vcf.gz"
    record = f"20 9 . {long} A . . . GT 0/1 0/0 0/0"
    path.write_bytes(
        gzip.compress(source(record, "20 10 . A C . . . GT 0/1 0/0 0/0").encode(), 1)
    )
    release = cut(path, ANN_AND_CID)
    assert [len(columns[3]) for columns in release.records] == [3_000_000, 1]


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300), is_packed=st.booleans())
def test_garbage_raises_only_this_rooms_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, is_packed: bool
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "store.vcf.gz"
    path.write_bytes(gzip.compress(data) if is_packed else data)
    with pytest.raises(BuildFailed):
        cut(path, ANN_AND_CID)
