"""What intake accepts, and the store it makes of it."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pysam
import pytest

from genomics import child, intake
from genomics.errors import IntakeRefused
from genomics.job import IntakeJob, Progress
from tests.genomics.uploads import (
    HEADER,
    RECORDS,
    bcftools_records,
    bgzf,
    store_header,
    store_lines,
    store_path,
    store_records,
    take_in,
    vcf,
    with_field,
    with_header,
)

DATA = Path("platform/gemmule/demo/data").resolve()
REAL = {
    "1kg_629_samples.vcf.gz": (629, 381, ["2"]),
    "multipleChromosomes.vcf.gz": (100, 346, [str(n) for n in range(1, 23)]),
}


def packings(text: bytes) -> dict[str, bytes]:
    half = len(text) // 2
    return {
        "plain": text,
        "gzip": gzip.compress(text),
        "gzip with a name": _with_name(text),
        "two members": gzip.compress(text[:half]) + gzip.compress(text[half:]),
        "an empty member": gzip.compress(b"")
        + gzip.compress(text)
        + gzip.compress(b""),
        "members of one byte": b"".join(
            gzip.compress(text[at : at + 1]) for at in range(len(text))
        ),
        "BGZF": bgzf(text),
        "BGZF of small blocks": bgzf(text, block=7),
        "two BGZF files in one": bgzf(text[:half]) + bgzf(text[half:]),
    }


def _with_name(text: bytes) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile("x.vcf", "wb", fileobj=packed) as file:
        file.write(text)
    assert packed.getvalue()[3] & 8, "the member states a file name"
    return packed.getvalue()


@pytest.mark.parametrize("packing", packings(b""))
def test_upload_is_read_whatever_its_packing(tmp_path: Path, packing: str) -> None:
    upload = packings(vcf())[packing]
    result = take_in(tmp_path, upload)
    assert result.samples == ("S1", "S2", "S3")
    assert result.records == 4
    assert result.contigs == (("1", 1000, 3), ("2", None, 1))
    assert store_records(tmp_path) == list(RECORDS)
    assert result.sha256_source == hashlib.sha256(upload).hexdigest()
    stored = store_path(tmp_path).read_bytes()
    assert result.sha256_store == hashlib.sha256(stored).hexdigest()
    assert result.size_bytes == len(stored)


@pytest.mark.parametrize("name", REAL)
def test_real_call_set_is_taken_in_without_loss(tmp_path: Path, name: str) -> None:
    samples, records, contigs = REAL[name]
    result = take_in(tmp_path, DATA / name, build="GRCh37")
    assert len(result.samples) == samples
    assert result.records == records
    assert [contig for contig, _, count in result.contigs if count] == contigs
    is_stated = name == "multipleChromosomes.vcf.gz"
    assert all(bool(length) is is_stated for _, length, _ in result.contigs)
    source = gzip.decompress((DATA / name).read_bytes()).decode().splitlines()
    assert store_records(tmp_path) == [row for row in source if row[0] != "#"]
    assert bcftools_records(store_path(tmp_path)) == bcftools_records(DATA / name)
    assert bool(result.warnings) is not is_stated


@pytest.mark.parametrize("name", REAL)
def test_records_are_found_through_the_index(tmp_path: Path, name: str) -> None:
    result = take_in(tmp_path, DATA / name)
    store = store_path(tmp_path)
    with pysam.VariantFile(str(store), index_filename=f"{store}.csi") as file:
        for contig, _, count in result.contigs:
            if not count:
                continue
            all_of_it = [record.pos for record in file.fetch(contig)]
            assert len(all_of_it) == count
            for pos in all_of_it[::40]:
                assert pos in [r.pos for r in file.fetch(contig, pos - 1, pos)]


def test_odd_sample_names_are_data(tmp_path: Path) -> None:
    names = [
        "C1046::HG02024", "../../etc/passwd", "=1+1", "a b", "<script>", "名前",
        "-rf", "%s", "NA1;NA2", "'; DROP TABLE",
    ]  # fmt: skip
    header = [*HEADER[:-1], "\t".join([*HEADER[-1].split("\t")[:9], *names])]
    record = "\t".join(["1\t5\t.\tA\tC\t.\t.\t.\tGT", *["0/1"] * len(names)])
    result = take_in(tmp_path, vcf(header, [record]))
    assert result.samples == tuple(names)
    assert store_lines(tmp_path)[-2].split("\t")[9:] == names


def test_crlf_and_a_missing_last_newline_and_trailing_blank_lines_are_nothing(
    tmp_path: Path,
) -> None:
    for upload in (
        vcf(end="\r\n"),
        vcf()[:-1],
        vcf(end="\r\n")[:-2],
        vcf(end="\r\n")[:-1],
        vcf() + b"\n\n",
        vcf(end="\r\n") + b"\r\n",
    ):
        assert take_in(tmp_path, upload).records == 4
        assert store_records(tmp_path) == list(RECORDS)
        assert not any("\r" in line for line in store_lines(tmp_path))


def test_chunk_ends_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 28 bytes, the smallest BGZF block, tell what a file is.
    for size in (28, 29, 97):
        monkeypatch.setattr("genomics.uploads.unpack.CHUNK_BYTES", size)
        for upload in (vcf(end="\r\n"), gzip.compress(vcf()), bgzf(vcf(), block=50)):
            assert take_in(tmp_path, upload).records == 4
            assert store_records(tmp_path) == list(RECORDS)


def test_bases_in_lower_case_are_put_into_upper_case_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    records = [
        "1\t9\trsx\tacgtn\ta,Ct,<dup:x>,*\t.\t.\tXx=yz\tGT:xX\t0/1:n\t1/2:a\t0/0:.",
        "1\t10\t.\tg\tg[1:20[,]2:5]G,.t\t.\t.\t.\tGT\t0/1\t1/2\t3/0",
    ]
    take_in(tmp_path, vcf(records=records))
    assert store_records(tmp_path) == [
        "1\t9\trsx\tACGTN\tA,CT,<dup:x>,*\t.\t.\tXx=yz\tGT:xX\t0/1:n\t1/2:a\t0/0:.",
        "1\t10\t.\tG\tg[1:20[,]2:5]G,.t\t.\t.\t.\tGT\t0/1\t1/2\t3/0",
    ]


def test_empty_entries_of_info_are_dropped(tmp_path: Path) -> None:
    take_in(tmp_path, with_field(12, 8, ";DP=9;;DB;"))
    assert store_records(tmp_path)[0].split("\t")[7] == "DP=9;DB"


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2", "4.3", "4.4", "4.5"])
def test_versions_4_0_to_4_5_are_taken_and_kept(tmp_path: Path, version: str) -> None:
    take_in(tmp_path, with_header("##fileformat", f"##fileformat=VCFv{version}"))
    assert store_lines(tmp_path)[0] == f"##fileformat=VCFv{version}"


def test_file_without_records_is_taken_and_said_to_be_empty(tmp_path: Path) -> None:
    result = take_in(tmp_path, vcf(records=[]))
    assert result.records == 0
    assert result.contigs == (("1", 1000, 0), ("2", None, 0))
    assert "the file holds no records" in result.warnings


def test_telomeres_and_long_contigs_are_indexed(tmp_path: Path) -> None:
    header = [
        HEADER[0],
        "##contig=<ID=1,length=1000>",
        "##contig=<ID=long,length=2147483646>",
        HEADER[-1],
    ]
    rest = "\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0\t./."
    places = [("1", 0), ("1", 1001), ("long", 700_000_000), ("long", 2_147_483_646)]
    take_in(tmp_path, vcf(header, [f"{name}\t{pos}{rest}" for name, pos in places]))
    store = store_path(tmp_path)
    with pysam.VariantFile(str(store), index_filename=f"{store}.csi") as file:
        found = [(r.chrom, r.pos) for name in ("1", "long") for r in file.fetch(name)]
        assert found == places
        assert [r.pos for r in file.fetch("long", 699_999_999, 700_000_000)] == [
            700_000_000
        ]


def test_prefixed_phase_and_empty_lists_are_of_4_4_and_4_5(tmp_path: Path) -> None:
    record = "1\t5\t.\tA\tC\t.\t.\t.\tGT:LAA:LAD\t/0/1::\t|1|0:1:3,4\t.:."
    header = ["##fileformat=VCFv4.5", HEADER[-1]]
    take_in(tmp_path, vcf(header, [record]))
    assert store_records(tmp_path) == [record]
    assert any("LAD,Number=LR" in line for line in store_header(tmp_path))
    for version, code in (("4.4", "format-value"), ("4.3", "genotype")):
        header[0] = f"##fileformat=VCFv{version}"
        with pytest.raises(IntakeRefused) as refused:
            take_in(tmp_path, vcf(header, [record]))
        assert (refused.value.code, refused.value.column) == (code, 10)


def test_progress_grows_to_the_whole_file(tmp_path: Path) -> None:
    progress: list[Progress] = []
    upload = DATA / "1kg_629_samples.vcf.gz"
    take_in(tmp_path, upload, progress=progress)
    records = [step.records for step in progress]
    assert len(records) > 5
    assert records == sorted(records)
    assert records[-1] == 381
    assert progress[-1].bytes == upload.stat().st_size


def test_store_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    digests = {
        take_in(tmp_path, DATA / "multipleChromosomes.vcf.gz").sha256_store
        for _ in range(3)
    }
    assert len(digests) == 1


def test_an_earlier_store_is_replaced_whole_or_left_alone(tmp_path: Path) -> None:
    take_in(tmp_path, vcf())
    store = store_path(tmp_path)
    before = {path.name: path.read_bytes() for path in store.parent.iterdir()}
    assert set(before) == {
        "store.vcf.gz",
        "store.vcf.gz.csi",
        "store.vcf.gz.columns",
    }
    with pytest.raises(IntakeRefused):
        take_in(tmp_path, with_field(15, 10, "x"))
    assert {p.name: p.read_bytes() for p in store.parent.iterdir()} == before
    assert take_in(tmp_path, vcf(records=RECORDS[:2])).records == 2
    assert len(store_records(tmp_path)) == 2


def test_index_beside_the_upload_is_never_opened(tmp_path: Path) -> None:
    for suffix in (".csi", ".tbi"):
        (tmp_path / f"upload{suffix}").write_bytes(b"not an index")
    assert take_in(tmp_path, bgzf(vcf())).records == 4


def test_intake_runs_in_the_child_and_leaves_nothing_but_the_store(
    tmp_path: Path,
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    store = store_path(tmp_path)
    store.parent.mkdir()
    source = DATA / "multipleChromosomes.vcf.gz"
    job = IntakeJob(source=source, store=store, build="GRCh37")
    result = child.run(job, timeout_s=60, temp_root=private)
    assert result.records == 346
    assert {p.name for p in store.parent.iterdir()} == {
        store.name,
        store.name + ".csi",
        store.name + ".columns",
    }
    assert not list(private.iterdir())


def test_refusal_of_the_child_carries_code_line_and_column(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    broken = with_field(13, 11, "0/3:1").replace(b"END=9", b"END=x")
    source.write_bytes(gzip.compress(broken))
    store = store_path(tmp_path)
    store.parent.mkdir()
    with pytest.raises(IntakeRefused) as refused:
        child.run(
            IntakeJob(source=source, store=store),
            timeout_s=60,
            temp_root=tmp_path,
        )
    error = refused.value
    assert (error.code, error.line, error.column) == ("genotype-allele", 13, 11)
    assert "at most 2" in error.message
    assert [(fault.code, fault.line) for fault in error.faults] == [
        ("genotype-allele", 13),
        ("info-value", 15),
    ]
    assert error.faults[0].message == error.message
    assert not list(store.parent.iterdir())


class CancelledError(Exception):
    pass


def test_cancelled_intake_leaves_nothing(tmp_path: Path) -> None:
    store = store_path(tmp_path)
    store.parent.mkdir()
    parts: list[int] = []

    def cancel(progress: Progress) -> None:
        parts.append(len(list(store.parent.iterdir())))
        raise CancelledError

    # From a pipe that gives one chunk and a bit, and then nothing, so that the child
    # cannot end before it is stopped.
    rows = "".join(f"2\t{n}{RECORDS[2][5:]}\n" for n in range(300, 40_000))
    upload = (vcf(records=[]) + rows.encode())[: (1 << 20) + 10_000]
    source = tmp_path / "pipe"
    os.mkfifo(source)
    pipe = os.open(source, os.O_RDWR)  # a reader too, so that opening does not wait
    writer = threading.Thread(target=os.write, args=(pipe, upload))
    writer.start()
    try:
        with pytest.raises(CancelledError):
            child.run(
                IntakeJob(source=source, store=store),
                timeout_s=60,
                temp_root=tmp_path,
                on_progress=cancel,
            )
    finally:
        writer.join()
        os.close(pipe)
    assert parts == [2]  # text of the store, and its columns
    assert not list(store.parent.iterdir())


def test_intake_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    store = store_path(tmp_path)
    store.parent.mkdir()

    def break_off(progress: Progress) -> None:
        raise CancelledError

    job = IntakeJob(source=DATA / "multipleChromosomes.vcf.gz", store=store)
    with pytest.raises(CancelledError):
        intake.run(job, break_off)
    assert not list(store.parent.iterdir())


def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    peaks = []
    for records in (20_000, 80_000):
        source = tmp_path / "upload"
        with gzip.open(source, "wt", compresslevel=1) as file:
            file.write("\n".join(HEADER) + "\n")
            for number in range(records):
                # Every value differs, so nothing that is remembered helps.
                cells = "\t".join(f"0/1:{number}:-{number}.{n},-1" for n in range(3))
                file.write(
                    f"2\t{number + 1}\trs{number}\tA\tC\t{number}.5\tPASS\t"
                    f"DP={number};X={number}\tGT:DP:GL\t{cells}\n"
                )
        code = (
            "import sys; from pathlib import Path; from genomics import intake; "
            "from genomics.job import IntakeJob; "
            "intake.run(IntakeJob(source=Path(sys.argv[1]), store=Path(sys.argv[2])),"
            " lambda progress: None)"
        )
        store = tmp_path / "store.vcf.gz"
        command = [sys.executable, "-c", code, str(source), str(store)]
        with subprocess.Popen(command) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss * 1024)
    # 8 MB of lines more: kept in memory, as lines or as a store, they would show.
    assert peaks[1] - peaks[0] < 4 << 20
