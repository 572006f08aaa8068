"""Make the files of a release: cut, order, compress, index and seal.

Plaintext stays in the current directory, which the parent keeps private; the output
directory gets ciphertext only, each file under a temporary name until it is whole.
The plaintext depends on the job and on what included samples have, on nothing else:
no clock, no host, no path. BGZF blocks also depend on the version of zlib, which is
therefore among the versions reported.
"""

import importlib.metadata
import os
import platform
import shutil
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pysam
from pysam.version import __htslib_version__ as htslib_version

from genomics import sandbox
from genomics.crypt4gh.stream import encrypt_stream
from genomics.header import contig_length, write_header
from genomics.job import FileDigest, Progress, ProgressSink, SubsetJob, SubsetResult
from genomics.ordering import ordered
from genomics.store import BGZF_END, ENCODING, Store, check_digest
from genomics.subset import Cut, Subsetter

_TBI_END = 2**29  # a tabix index reaches no further
_PROGRESS_RECORDS = 256


def run(job: SubsetJob, progress: ProgressSink) -> SubsetResult:
    """Do the job in the current directory and return what was made."""
    if job.source_sha256 is not None:
        check_digest(job.source, job.source_sha256)
    with closing(Store(job.source)) as store:
        subsetter = Subsetter(job, store.samples, store.contig_lengths)
        body = _Body(Path("body.gz"), job, progress)
        with closing(body):
            for cut in ordered(store, subsetter, body.count):
                body.write(cut)
        header = write_header(job, subsetter.usage, store.contig_lengths)
        is_long = body.last_end > _TBI_END or any(
            (contig_length(job, name, store.contig_lengths.get(name)) or 0) > _TBI_END
            for name in subsetter.usage.contigs
        )
    variants = Path(f"{job.name}.vcf.gz")
    _join(header, body.path, variants, job.bgzf_level)
    index = _index(variants, is_long=is_long)
    return SubsetResult(
        files=tuple(
            _seal(job, ((variants, "variants"), (index, "index"))),
        ),
        records_in=body.records_in,
        records_out=body.records_out,
        genotypes_withheld=body.genotypes_withheld,
        software=_software(),
    )


class _Body:
    """The compressed records, and what is counted while they are written."""

    def __init__(self, path: Path, job: SubsetJob, progress: ProgressSink) -> None:
        self.path = path
        self.records_in = 0
        self.records_out = 0
        self.genotypes_withheld = 0
        self.last_end = 0
        self._size = 0
        self._job = job
        self._progress = progress
        self._file = _bgzf(path, job.bgzf_level)

    def write(self, cut: Cut) -> None:
        data = cut.text.encode(ENCODING) + b"\n"
        self._file.write(data)
        self._size += len(data)
        self.records_out += 1
        self.genotypes_withheld += cut.withheld
        self.last_end = max(self.last_end, cut.end)

    def count(self) -> None:
        self.records_in += 1
        if self.records_in % _PROGRESS_RECORDS == 0:
            self._tell()

    def close(self) -> None:
        self._file.close()
        self._tell()

    def _tell(self) -> None:
        total = self._job.records_total
        self._progress(
            Progress(
                records=self.records_in,
                records_total=total,
                bytes=self._size,
                records_out=self.records_out,
            )
        )


def _join(header: str, body: Path, final: Path, level: int) -> None:
    """Put the header before the records: BGZF blocks may simply be joined."""
    with closing(_bgzf(final, level)) as file:
        file.write(header.encode(ENCODING))
    with final.open("r+b") as joined, body.open("rb") as records:
        joined.seek(-len(BGZF_END), os.SEEK_END)
        assert joined.read() == BGZF_END, "htslib ends every file alike"
        joined.seek(-len(BGZF_END), os.SEEK_END)
        joined.truncate()
        shutil.copyfileobj(records, joined, 1 << 20)
    body.unlink()


def _bgzf(path: Path, level: int) -> pysam.BGZFile:
    # htslib takes a digit in the mode as the level; pysam's types do not know that.
    mode: Any = f"w{level}"
    return pysam.BGZFile(str(path), mode, None)


def _index(variants: Path, *, is_long: bool) -> Path:
    suffix = "csi" if is_long else "tbi"
    pysam.tabix_index(str(variants), preset="vcf", csi=is_long, force=True)
    return variants.with_name(f"{variants.name}.{suffix}")


def _seal(job: SubsetJob, files: tuple[tuple[Path, str], ...]) -> Iterator[FileDigest]:
    """Seal the files and put them in place, all or, should this fail, none."""
    parts = []
    for plain, role in files:
        final = job.output_dir / f"{plain.name}.c4gh"
        part = sandbox.part_path(final)
        with plain.open("rb") as source, part.open("xb") as target:
            sealed = encrypt_stream(source, target, job.recipient_public_key)
            target.flush()
            os.fsync(target.fileno())
        plain.unlink()
        parts.append((part, final))
        yield FileDigest(
            name=final.name,
            role=role,
            sha256_plain=sealed.sha256_plain,
            sha256_cipher=sealed.sha256_cipher,
            size_plain=sealed.size_plain,
            size_bytes=sealed.size_bytes,
            segments=sealed.segments,
        )
    done: list[Path] = []
    try:
        for part, final in parts:
            part.rename(final)
            done.append(final)
    except OSError:
        for final in done:
            final.unlink()
        raise
    directory = os.open(job.output_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # so that the names last, too
    finally:
        os.close(directory)


def _software() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "pysam": importlib.metadata.version("pysam"),
        "htslib": htslib_version,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "cryptography": importlib.metadata.version("cryptography"),
    }
