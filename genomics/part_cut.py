"""Cut one share of a release into a file that only the joining can read."""

import hashlib
import os

from genomics import pipeline, sandbox
from genomics.crypt4gh.reading import Pieces
from genomics.crypt4gh.stream import encrypt_stream
from genomics.job import ProgressSink
from genomics.part_file import Label, pack
from genomics.part_job import PartJob, PartResult, essence
from genomics.windows import Share


def run(job: PartJob, progress: ProgressSink) -> PartResult:
    """Do the job in the current directory, which keeps the plaintext meanwhile."""
    share = Share(number=job.number, count=job.count)
    body = pipeline.cut(job.subset, progress, share)
    label = Label(
        number=job.number,
        count=job.count,
        job=hashlib.sha256(essence(job.subset)).hexdigest(),
        software=pipeline.versions(),
    )
    unfinished = sandbox.part_path(job.part)
    with unfinished.open("xb") as target:
        sealed = encrypt_stream(Pieces(pack(label, body)), target, job.build_public_key)
        target.flush()
        os.fsync(target.fileno())
    for part in body.parts:
        part.path.unlink()
    unfinished.rename(job.part)
    return PartResult(
        sha256=sealed.sha256_cipher,
        records_out=sum(part.records for part in body.parts),
        bytes=sum(part.text_bytes for part in body.parts),
    )
