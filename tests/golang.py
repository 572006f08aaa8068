"""Go and golang.org/x/mod as Debian packages them, for verifiers that are not ours."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.program import Program, starts

# Debian keeps the sources of Go packages here.
_GOPATH = Path("/usr/share/gocode")
_MODULE = _GOPATH / "src" / "golang.org" / "x" / "mod" / "sumdb" / "tlog"


def find() -> Path | None:
    """Return the Go command, if x/mod is there for it to build with."""
    path = shutil.which("go")
    if path and _MODULE.is_dir() and starts([path, "version"]):
        return Path(path)
    return None


def build(source: Path, program: Path) -> None:
    """Build the program in the folder `source`; nothing is fetched."""
    go = find()
    assert go is not None, "tests that build are marked golang"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(_GOPATH),
        "GOCACHE": str(program.parent / "go-cache"),
        "GOFLAGS": "",
    }
    done = subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


PROGRAM = Program(
    mark="golang",
    meaning="checked by a program in Go that shares no code with ours",
    called="Go with golang.org/x/mod",
    packages=("golang-go", "golang-golang-x-mod-dev"),
    searched=f"go, {_GOPATH}",
    is_there=lambda: find() is not None,
)
