"""Tell whether a file is still the one that was recorded."""

import hashlib
from pathlib import Path

from genomics.errors import BuildFailed


def check_digest(path: Path, sha256: str) -> None:
    """Raise BuildFailed unless the file has this digest (hex)."""
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise BuildFailed(
                "store", "expected the store as intake left it, it changed"
            )
