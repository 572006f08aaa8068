"""Start the child process: an empty environment, and nothing open but what is said."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from genomics.errors import ChildKilled
from genomics.sandbox import Resources

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    # numpy's linear algebra, which nothing here uses, would start threads of its own.
    "OPENBLAS_NUM_THREADS": "1",
    # glibc keeps for the next block what one block took, up to as many bytes: to get
    # it anew from the system page by page is up to a fifth of a cut.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # as much as it takes
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}


def start(
    resources: Resources,
    *options: str,
    stdin: IO[bytes],
    stderr: IO[bytes] | int,
    directory: Path,
    keep: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start `python -m genomics`, which dies with this thread; raise ChildKilled.

    `keep` are the descriptors that it inherits.
    """
    command = [sys.executable, "-I", "-X", "utf8", "-m", "genomics"]
    command += ["--resources", json.dumps(resources.to_json()), str(os.getpid())]
    try:
        return subprocess.Popen(
            [*command, *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=ENVIRONMENT,
            cwd=directory,
            pass_fds=keep,
            start_new_session=True,  # Ctrl-C is for the parent to handle
        )
    except OSError as error:
        raise ChildKilled("the child process did not start") from error
