"""Make the files of a release: cut, join, index and seal.

Plaintext stays in the current directory, which the parent keeps private; the output
directory gets ciphertext only, each file under a temporary name until it is whole.
The plaintext depends on the job and on what included samples have, on nothing else:
no clock, no host, no path, no number of workers. BGZF blocks also depend on the
versions of ISA-L and zlib, which are therefore among the versions reported.
"""

import importlib
import io
import sys
import zlib
from types import ModuleType

import cryptography
import isal

from genomics import bgzf, by_columns, tabix
from genomics.crypt4gh.reading import Readable
from genomics.digest import check_digest
from genomics.header import contig_length, write_header
from genomics.job import ProgressSink, SubsetJob, SubsetResult
from genomics.lines import ENCODING
from genomics.parts import Body, Joined, index_of
from genomics.windows import WHOLE, Share


def run(job: SubsetJob, progress: ProgressSink) -> SubsetResult:
    """Do the job in the current directory and return what was made."""
    return finish(job, cut(job, progress, WHOLE))


def finish(job: SubsetJob, body: Body) -> SubsetResult:
    """Write the files of a release whose records have been cut, whole."""
    header = b"".join(
        bgzf.blocks(
            write_header(job, body.usage, body.contig_lengths).encode(ENCODING),
            job.bgzf_level,
        )
    )
    name = f"{job.name}.vcf.gz"
    variants = Joined(header, body.parts)
    if _is_long(job, body):
        # Not imported above: htslib takes as long to load as some cuts take.
        csi = importlib.import_module("genomics.csi")
        suffix, index = "csi", csi.write_index(variants)
    else:
        places = list(index_of(body.parts, len(header)))
        suffix, index = "tbi", tabix.write_index(places, job.bgzf_level)
    files: list[tuple[str, str, Readable]] = [
        (name, "variants", variants),
        (f"{name}.{suffix}", "index", io.BytesIO(index)),
    ]
    sealed = tuple(_load_sealing().seal(job, files))
    for part in body.parts:
        part.path.unlink(missing_ok=True)  # parts may share a file
    return SubsetResult(
        files=sealed,
        records_in=body.records_in,
        records_out=sum(part.records for part in body.parts),
        genotypes_withheld=sum(part.withheld for part in body.parts),
        records_withheld=sum(part.closed for part in body.parts),
        # Not a version, but as they are it decides over the packed bytes.
        software=versions() | {"bgzf_level": str(job.bgzf_level)},
    )


def versions() -> dict[str, str]:
    """Return the versions of what the bytes of a release depend on."""
    return {
        "python": sys.version.split()[0],
        "isal": isal.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "cryptography": cryptography.__version__,
    }


def cut(job: SubsetJob, progress: ProgressSink, share: Share) -> Body:
    """Return the records of a share of the release, in parts in this directory."""
    columns = by_columns.open_columns(job)
    if columns is not None:
        with columns:
            return by_columns.cut(job, columns, progress, share, _load_sealing)
    if job.source_sha256 is not None:
        check_digest(job.source, job.source_sha256)
    by_text = importlib.import_module("genomics.by_text")
    body: Body = by_text.cut(job, progress, share)
    return body


def _load_sealing() -> ModuleType:
    # The cipher takes as long to load as some cuts take, and is needed last.
    return importlib.import_module("genomics.sealing")


def _is_long(job: SubsetJob, body: Body) -> bool:
    """Whether a contig is longer than a tabix index reaches."""
    lengths = [
        contig_length(job, name, body.contig_lengths.get(name)) or 0
        for name in body.usage.contigs
    ]
    ends = [part.last_base for part in body.parts]
    return max([*lengths, *ends], default=0) > tabix.MAX_END
