"""Uploads of three people whose values are to be read, and what comes of them."""

import gzip
from collections.abc import Mapping
from pathlib import Path

from genomics import removal
from genomics.removal_job import RemovalJob
from tests.genomics.consistency import check_self_consistent
from tests.genomics.release import Release, cut_upload
from tests.genomics.uploads import store_path, take_in

_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
FIRST_AND_THIRD = {"P1": "R0", "P3": "R2"}

# Key, Number, Type of what the uploads declare.
_FORMAT = """
GT 1 String,GP G Float,DS A Float,HDS . Float,CN 1 Float,LGT 1 String,LA . Integer
LAA . Integer,LAD . Integer,LPL . Integer,LPGT 1 String,DP 1 Integer,PL G Integer
PP G Integer,CNQ 1 Float,GQ 1 Float,FT 1 String,LGP . Float,EC A Integer,LEC . Integer
"""


def vcf(version: str, *records: str) -> bytes:
    """Return an upload of P1, P2 and P3; white space parts the fields of a record."""
    lines = [f"##fileformat=VCFv{version}", "##contig=<ID=chr17,length=83257441>"]
    for each in _FORMAT.replace("\n", ",").strip(",").split(","):
        key, number, type_ = each.split()
        lines.append(
            f'##FORMAT=<ID={key},Number={number},Type={type_},Description="x">'
        )
    lines.append("\t".join([*_COLUMNS, "P1", "P2", "P3"]))
    lines += ["\t".join(record.split()) for record in records]
    return ("\n".join(lines) + "\n").encode()


def released(
    tmp_path: Path, upload: bytes, samples: Mapping[str, str] = FIRST_AND_THIRD
) -> Release:
    release = cut_upload(tmp_path, upload, samples=tuple(samples.items()))
    check_self_consistent(release.text)
    return release


def told(release: Release) -> list[tuple[str, str, str, list[str]]]:
    """Return ALT, INFO, FORMAT and cells of each record."""
    return [(row[4], row[7], row[8], row[9:]) for row in release.records]


def erased(tmp_path: Path, upload: bytes, *names: str) -> tuple[Path, list[list[str]]]:
    """Take the upload in, erase these people; return the store and its records."""
    folder = tmp_path / "erased"
    folder.mkdir()
    take_in(tmp_path, upload)
    store = folder / "store.vcf.gz"
    job = RemovalJob(source=store_path(tmp_path), store=store, without=names)
    removal.run(job, lambda _: None)
    text = text_of(store)
    rows = [line.split("\t") for line in text.splitlines() if line[0] != "#"]
    return store, rows


def text_of(store: Path) -> str:
    return gzip.decompress(store.read_bytes()).decode()
