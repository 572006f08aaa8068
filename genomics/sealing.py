"""Seal the files of a release for its recipient, and put them where they belong."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from genomics import sandbox
from genomics.crypt4gh.reading import Readable
from genomics.crypt4gh.stream import encrypt_stream
from genomics.job import FileDigest, SubsetJob


def seal(
    job: SubsetJob, files: Sequence[tuple[str, str, Readable]]
) -> Iterator[FileDigest]:
    """Seal the files for the job's recipient and put them in place.

    Each comes with its name, its role and its plaintext. All are put in place or,
    should this fail, none.
    """
    parts = []
    for name, role, plain in files:
        final = job.output_dir / f"{name}.c4gh"
        part = sandbox.part_path(final)
        with part.open("xb") as target:
            sealed = encrypt_stream(plain, target, job.recipient_public_key)
            target.flush()
            os.fsync(target.fileno())
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
