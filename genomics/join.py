"""Join the shares of a release to the files that one cut of all would have made."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from genomics import pipeline
from genomics.crypt4gh.stream import decrypt_stream
from genomics.errors import BuildFailed, CryptInvalid
from genomics.header import Usage
from genomics.job import Progress, ProgressSink, SubsetResult
from genomics.part_file import Label, unpack
from genomics.part_job import JoinJob, essence
from genomics.parts import Body, Extent


def run(job: JoinJob, progress: ProgressSink) -> SubsetResult:
    """Do the job in the current directory, which keeps the plaintext meanwhile."""
    labels, bodies = list[Label](), list[Body]()
    total, records, size = job.subset.records_total, 0, 0
    for number, (path, sha256) in enumerate(job.parts):
        label, body = _opened(path, sha256, Path(f"share-{number}"), job)
        labels.append(label)
        bodies.append(body)
        records += sum(part.records for part in body.parts)
        size += sum(part.text_bytes for part in body.parts)
        progress(
            Progress(
                records=(total or 0) * len(bodies) // len(job.parts),
                records_total=total,
                bytes=size,
                records_out=records,
            )
        )
    _check_labels(job, labels)
    _check_extents([body.extent for body in bodies])
    return pipeline.finish(job.subset, _joined(bodies))


def _opened(path: Path, sha256: str, plain: Path, job: JoinJob) -> tuple[Label, Body]:
    try:
        with path.open("rb") as source, plain.open("xb") as target:
            sealed = decrypt_stream(source, target, job.build_secret_key)
    except FileNotFoundError as error:
        raise BuildFailed("part", "expected the file of each part") from error
    except CryptInvalid as error:
        raise BuildFailed("part", f"a part does not open: {error}") from error
    # Segments that were cut off or swapped open as well.
    if sealed.sha256_cipher != sha256:
        raise BuildFailed("part", "expected each part as it was cut, one changed")
    label, body = unpack(plain)
    if not body.parts:
        plain.unlink()
    return label, body


def _check_labels(job: JoinJob, labels: Sequence[Label]) -> None:
    digest = hashlib.sha256(essence(job.subset)).hexdigest()
    for number, label in enumerate(labels):
        if (label.number, label.count) != (number, len(labels)):
            raise BuildFailed("part", "expected every part once, in order")
        if label.job != digest:
            raise BuildFailed("part", "expected parts of this release, got another's")
        # Other versions may pack the same text into other bytes.
        if label.software != pipeline.versions():
            raise BuildFailed("part", "expected parts by the same versions as here")


def _check_extents(extents: Sequence[Extent]) -> None:
    """Nothing is missing between two parts, and nothing is in both."""
    reached = 0
    for extent in extents:
        if (extent.plan, extent.total) != (extents[0].plan, extents[0].total):
            raise BuildFailed("part", "expected parts of one and the same cut")
        if extent.first != reached:
            raise BuildFailed("part", "expected each part to go on where one ended")
        reached = extent.last
    if reached != extents[-1].total:
        raise BuildFailed("part", "expected the parts to reach the end")


def _joined(bodies: Sequence[Body]) -> Body:
    usage = Usage()
    lengths: dict[str, int | None] = {}
    for body in bodies:
        usage.add(body.usage)
        lengths |= body.contig_lengths
    extent = bodies[0].extent
    return Body(
        parts=[part for body in bodies for part in body.parts],
        usage=usage,
        extent=Extent(plan=extent.plan, first=0, last=extent.total, total=extent.total),
        # Of the whole source, in each share that has read it.
        records_in=max(body.records_in for body in bodies),
        contig_lengths=lengths,
    )
