"""Ask the program in `golang/` what it makes of a folder and of our proofs."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.ledger.foreign.served_log import Asked


class Refused(Exception):
    """The program found the log itself to be false, and says why."""


def ask(
    verifier: Path, folder: Path, asked: list[Asked], vkey: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the program read, and its objection to each proof ("" for none)."""
    done = subprocess.run(
        [verifier, folder, vkey],
        input="".join(f"{each.line}\n" for each in asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(done.stderr)
    first, *rest = map(json.loads, done.stdout.splitlines())
    assert len(rest) == len(asked)
    return first, {each["name"]: each["error"] for each in rest}
