"""Cut a source in this process and open what comes out, as its recipient would."""

import contextlib
import dataclasses
import gzip
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomics import pipeline
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import decrypt_stream
from genomics.job import SubsetJob, SubsetResult

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
    """Release `samples` (source name -> output name) of a file or of VCF text."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("private", "out"):
            (root / name).mkdir()
        if isinstance(source, str):
            path = root / "source.vcf.gz"
            path.write_bytes(gzip.compress(source.encode("latin-1"), 1))
            source = path
        job = SubsetJob(
            source=source.resolve(),
            samples=tuple(samples.items()),
            recipient_public_key=PUBLIC,
            output_dir=root / "out",
            name="GMR000001",
            **options,
        )
        with contextlib.chdir(root / "private"):
            result = pipeline.run(job, lambda _: None)
        assert list((root / "private").iterdir()) == []
        variants, index = (
            opened((root / "out" / digest.name).read_bytes()) for digest in result.files
        )
        return Release(result=result, variants=variants, index=index)


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
