"""The forms that come with Gemmule, as data beside this module.

`general` 1.0 in English is the form of the demo; an institution drafts its own from
it. File names are `<name>_<version>_<language>.json`.
"""

import json
import re
from importlib.resources import files
from typing import Any

from consent.errors import FormNotFound

_PART = re.compile(r"[a-z0-9.-]{1,60}")


def content(
    *, name: str = "general", version: str = "1.0", language: str = "en"
) -> dict[str, Any]:
    """Return the content of a shipped form; raises FormNotFound."""
    parts = (name, version, language)
    file = files("consent").joinpath("forms", f"{'_'.join(parts)}.json")
    # No part may lead out of the folder.
    if not all(_PART.fullmatch(part) for part in parts) or not file.is_file():
        raise FormNotFound(f"no form {name} {version} ({language}) is shipped")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
