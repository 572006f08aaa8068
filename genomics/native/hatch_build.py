"""Compile the C of this folder when the package is built, by the compiler of a wheel.

No machine needs a compiler of its own: `ziglang` is a requirement of the build.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path("genomics", "native")
_LIBRARY = _FOLDER / "libnative.so"

_COMPILER = (sys.executable, "-m", "ziglang", "cc")
# Every machine of its kind can run what one of them has compiled.
_OPTIONS = ("-std=c11", "-O3", "-mcpu=baseline", "-shared", "-fPIC", "-Wall", "-Werror")


class CustomBuildHook(BuildHookInterface[Any]):
    """Makes the library beside its sources; a wheel takes it along."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a failure is the build's."""
        root = Path(self.root)
        made, sources = root / _LIBRARY, sorted((root / _FOLDER).glob("*.c"))
        with tempfile.TemporaryDirectory() as cache:
            fresh = Path(cache, made.name)
            subprocess.run(
                [*_COMPILER, *_OPTIONS, "-o", fresh, *sources],
                check=True,
                env=os.environ
                | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
            )
            part = made.with_suffix(f".{os.getpid()}")
            part.write_bytes(fresh.read_bytes())
            part.replace(made)  # who has loaded the one before keeps it
        build_data["artifacts"].append(f"/{_LIBRARY}")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
