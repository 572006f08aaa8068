"""The browser that e2e tests drive."""

import shutil
from pathlib import Path

from tests.program import Program, starts

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> Path | None:
    """Return the first browser on the PATH that starts; a broken one is passed over."""
    for name in _NAMES:
        path = shutil.which(name)
        # Ubuntu's `chromium-browser` is a stub that fails without snap.
        if path and starts([path, "--version"]):
            return Path(path)
    return None


PROGRAM = Program(
    mark="e2e",
    meaning="a story told through a real browser",
    called="browser",
    packages=("chromium",),
    searched=", ".join(_NAMES),
    is_there=lambda: find() is not None,
)
