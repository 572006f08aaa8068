"""Cut a source in this process and open what comes out, as its recipient would."""

import contextlib
import dataclasses
import gzip
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomics import intake, join, part_cut, pipeline
from genomics.columnar import file
from genomics.columnar.writer import ColumnWriter
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import decrypt_stream
from genomics.job import COLUMNS_SUFFIX, IntakeJob, SubsetJob, SubsetResult
from genomics.part_job import JoinJob, PartJob

SECRET, PUBLIC = keys.generate()
NAMES = ("Ann", "Ben", "Cid")
ANN_AND_CID = {"Ann": "A0", "Cid": "C0"}
EVERYONE = {"Ann": "A0", "Ben": "B0", "Cid": "C0"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release after decryption."""

    result: SubsetResult
    variants: bytes  # the VCF.gz
    index: bytes

    @property
    def text(self) -> str:
        return gzip.decompress(self.variants).decode("latin-1")

    @property
    def records(self) -> list[list[str]]:
        return [
            line.split("\t")
            for line in self.text.splitlines()
            if not line.startswith("#")
        ]

    @property
    def header(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("#")]


def cut(source: Path | str, samples: Mapping[str, str], **options: Any) -> Release:
    """Release `samples` (source name -> output name) of a file or of VCF text.

    By the text of the store and, where that succeeds, by its columns as well, which
    must come to the same bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("private", "out"):
            (root / name).mkdir()
        if isinstance(source, str):
            path = root / "source.vcf.gz"
            path.write_bytes(gzip.compress(source.encode("latin-1"), 1))
        else:
            path = root / source.name
            path.symlink_to(source.resolve())
        job = SubsetJob(
            source=path,
            samples=tuple(samples.items()),
            recipient_public_key=PUBLIC,
            output_dir=root / "out",
            name="GMR000001",
            **options,
        )
        return _cut_twice(job, lambda: write_columns(path), root)


def cut_upload(
    folder: Path,
    upload: bytes,
    *,
    parts: int = 0,
    intake_build: str | None = None,
    **options: Any,
) -> Release:
    """Take an upload in and release it, by the store's text and by its columns.

    With `parts` from columns once more, in so many parts that are joined. Intake is
    told `intake_build`.
    """
    for name in ("in", "private", "out"):
        (folder / name).mkdir()
    source, store = folder / "in" / "upload", folder / "in" / "store.vcf.gz"
    source.write_bytes(upload)
    upload_job = IntakeJob(source=source, store=store, build=intake_build)
    taken = intake.run(upload_job, lambda _: None)
    job = SubsetJob(
        source=store,
        source_sha256=taken.sha256_store,
        recipient_public_key=PUBLIC,
        output_dir=folder / "out",
        name="GMR000001",
        **options,
    )
    release = _cut_twice(job, lambda: taken.sha256_columns, folder)
    if parts:
        by_columns = dataclasses.replace(job, columns_sha256=taken.sha256_columns)
        _assert_same(_cut_in_parts(by_columns, folder, parts), release)
    return release


def write_columns(store: Path) -> str:
    """Make the columns of a store, as intake does; return their digest."""
    data = gzip.decompress(store.read_bytes())
    lines = [line.removesuffix(b"\r") for line in data.removesuffix(b"\n").split(b"\n")]
    header = [line for line in lines if line.startswith(b"#")]
    with store.with_name(store.name + COLUMNS_SUFFIX).open("wb") as out:
        writer = ColumnWriter(file.Writer(out))
        for line in lines[len(header) :]:
            writer.add(line)
        return writer.finish(b"\n".join([*header, b""]))


def _cut_twice(job: SubsetJob, columns: Callable[[], str], root: Path) -> Release:
    by_text = _run(job, root)
    by_columns = _run(dataclasses.replace(job, columns_sha256=columns()), root)
    _assert_same(by_columns, by_text)
    return by_columns


def _assert_same(one: Release, other: Release) -> None:
    assert one.variants == other.variants
    assert one.index == other.index
    assert _told(one.result) == _told(other.result)


def _cut_in_parts(job: SubsetJob, root: Path, count: int) -> Release:
    secret, public = keys.generate()
    found = []
    for number in range(count):
        path = root / f"{number}.c4gh"
        part = PartJob(
            subset=job, number=number, count=count, build_public_key=public, part=path
        )
        with contextlib.chdir(root / "private"):
            found.append((path, part_cut.run(part, lambda _: None).sha256))
    whole = JoinJob(subset=job, parts=tuple(found), build_secret_key=secret)
    return _opened_release(job, root, lambda: join.run(whole, lambda _: None))


def _run(job: SubsetJob, root: Path) -> Release:
    return _opened_release(job, root, lambda: pipeline.run(job, lambda _: None))


def _opened_release(
    job: SubsetJob, root: Path, run: Callable[[], SubsetResult]
) -> Release:
    with contextlib.chdir(root / "private"):
        result = run()
    assert list((root / "private").iterdir()) == []
    variants, index = (
        opened((job.output_dir / digest.name).read_bytes()) for digest in result.files
    )
    for digest in result.files:
        (job.output_dir / digest.name).unlink()
    return Release(result=result, variants=variants, index=index)


def _told(result: SubsetResult) -> object:
    files = [(f.name, f.sha256_plain, f.size_plain) for f in result.files]
    withheld = result.genotypes_withheld, result.records_withheld
    return files, result.records_in, result.records_out, withheld


def opened(cipher: bytes) -> bytes:
    """Decrypt with the recipient's key of these tests."""
    plain = io.BytesIO()
    decrypt_stream(io.BytesIO(cipher), plain, SECRET)
    return plain.getvalue()


def source(*records: str, names: Sequence[str] = NAMES, header: str = "") -> str:
    """Return VCF text; fields of the records are parted by any white space."""
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.2",
        *header.splitlines(),
        "\t".join([*columns, *names]),
    ]
    return (
        "\n".join([*lines, *("\t".join(record.split()) for record in records)]) + "\n"
    )
