"""Read the files that a person names on the command line, within bounds."""

from pathlib import Path

from gemmule.verifier.errors import NothingChecked
from ledger.errors import PolicyInvalid
from ledger.tlog import policy
from ledger.tlog.policy import Policy


def read(path: Path, *, limit: int) -> bytes:
    """Return the file; raise NothingChecked when it cannot be, or is longer."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NothingChecked(f"cannot read {path}: {reason}") from error
    if len(data) > limit:
        raise NothingChecked(f"{path} has more than {limit} bytes")
    return data


def read_line(path: Path) -> str:
    """Return the first line of a file; raise NothingChecked when it has no text."""
    try:
        return read(path, limit=4096).decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise NothingChecked(f"{path} is not text") from error


def read_policy(path: Path) -> Policy:
    """Return the policy of a file; raise NothingChecked when it is none."""
    try:
        return Policy.from_bytes(read(path, limit=policy.MAX_BYTES))
    except PolicyInvalid as error:
        raise NothingChecked(f"{path} is not a policy: {error}") from error
