"""bcftools, PLINK 1.9 and PLINK 2 as Debian packages them, which write uploads."""

import shutil
import subprocess
from pathlib import Path

from tests.program import Program, starts

_NAMES = ("bcftools", "plink1.9", "plink2")


def find() -> bool:
    """Return whether all of them are on the PATH and start."""
    paths = [shutil.which(name) for name in _NAMES]
    return all(path and starts([path, "--version"]) for path in paths)


def run(folder: Path, *command: str) -> None:
    """Run one of the programs in a folder; it must succeed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or done.stdout


PROGRAM = Program(
    mark="variant_tools",
    meaning="takes in what bcftools and PLINK write",
    called="bcftools, PLINK 1.9 or PLINK 2",
    packages=_NAMES,
    searched=", ".join(_NAMES),
    is_there=find,
)
